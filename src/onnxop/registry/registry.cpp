#include "onnxop/registry/registry.h"

#include <array>
#include <string>
#include <system_error>

#include <pwd.h>
#include <unistd.h>

#include "onnxop/base/error.h"
#include "onnxop/base/storage_error.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/schema.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDatabaseFile = "onnxop.db";

// A folder that only a store has; empty when there is none.
std::string_view find_store_folder(const fs::path& dir) {
  std::error_code ignored;
  for (const std::string_view folder : {"models", "runs", "artifacts"}) {
    if (fs::is_directory(dir / folder, ignored)) {
      return folder;
    }
  }
  return {};
}

void make_folder(const fs::path& dir) {
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) {
    fail_to_write(error, format("cannot make the store {}", dir.native()));
  }
}

// The database's file, once the folder is known to be a store or to be free for one. Another
// process may be making the same store meanwhile: folder, database, folders within, in this order.
std::unique_ptr<Dialect> database_in_folder(const fs::path& dir, bool must_exist) {
  const fs::path file = dir / kDatabaseFile;
  std::error_code error;
  const fs::file_status status = fs::status(dir, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    fail(ErrorCode::kInvalidArgument, "the store {} is a file, not a folder", dir.native());
  }
  const std::string_view folder = find_store_folder(dir);
  if (fs::exists(file, error)) {
    return sqlite_dialect(file);
  }
  if (!folder.empty()) {
    fail(ErrorCode::kDataLoss, "{} has a folder '{}' but no {}: a store without its database",
         dir.native(), folder, kDatabaseFile);
  }
  if (must_exist) {
    fail(ErrorCode::kNotFound, "there is no store at {}{}", dir.native(),
         fs::exists(status) ? format(" (the folder has no {})", kDatabaseFile)
                            : " (no such folder)");
  }
  make_folder(dir);
  return sqlite_dialect(file);
}

std::unique_ptr<Dialect> database_of(const StoreLocation& location, bool must_exist) {
  return location.is_postgresql() ? postgresql_dialect(location.database_url)
                                  : database_in_folder(location.folder, must_exist);
}

// A new database must be wanted, and not stand in for one that was lost.
void check_new_database(const StoreLocation& location, Database& database, bool must_exist) {
  if (must_exist) {
    fail(ErrorCode::kNotFound, "there is no store at {} (its database is empty)", location.text());
  }
  if (!location.is_postgresql()) {
    return;  // database_in_folder() has looked before there was a file
  }
  const fs::path& dir = location.folder;
  std::error_code ignored;
  if (fs::exists(dir / kDatabaseFile, ignored)) {
    fail(ErrorCode::kInvalidArgument,
         "{} is a store with a database of its own, {}; the files of {} need another folder",
         dir.native(), kDatabaseFile, location.text());
  }
  // The database is asked again, for another process may have made the store meanwhile.
  const std::string_view folder = find_store_folder(dir);
  if (!folder.empty() && schema_version(database) == 0) {
    fail(ErrorCode::kDataLoss, "{} has a folder '{}' but {} is empty: a store without its database",
         dir.native(), folder, location.text());
  }
  make_folder(dir);
}

// The user of the process, as the system names it; its number where it has no name.
std::string process_user() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const uid_t user = geteuid();
  if (getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::to_string(user);
  }
  return found->pw_name;
}

StoreLocation with_absolute_folder(StoreLocation location) {
  location.folder = fs::absolute(location.folder).lexically_normal();
  return location;
}

}  // namespace

RegistryCore::RegistryCore(const StoreLocation& store, const Clock& store_clock, bool must_exist)
    : location(with_absolute_folder(store)),
      clock(store_clock),
      database(database_of(location, must_exist), clock),
      blobs(folder_blob_store(dir() / "artifacts", clock)),
      actor(process_user()) {
  if (schema_version(database) == 0) {
    check_new_database(location, database, must_exist);
  }
  migrate(database, store_migrations(), now_ms());
}

struct Registry::Parts {
  Parts(const StoreLocation& location, const Clock& clock, bool must_exist)
      : core(location, clock, must_exist) {}

  RegistryCore core;
  Experiments experiments{core};
  Runs runs{core};
  LoggedModels logged_models{core};
  Models models{core};
  Artifacts artifacts{core};
};

Registry::Registry(const StoreLocation& location, const Clock& clock, bool must_exist)
    : parts_(std::make_unique<Parts>(location, clock, must_exist)) {}

Registry::~Registry() = default;

const StoreLocation& Registry::location() const {
  return parts_->core.location;
}
const fs::path& Registry::dir() const {
  return parts_->core.dir();
}
bool Registry::is_connected() const {
  return parts_->core.database.is_connected();
}
void Registry::act_as(std::string_view actor) {
  parts_->core.actor = actor;
}
Experiments& Registry::experiments() {
  return parts_->experiments;
}
const Experiments& Registry::experiments() const {
  return parts_->experiments;
}
Runs& Registry::runs() {
  return parts_->runs;
}
const Runs& Registry::runs() const {
  return parts_->runs;
}
LoggedModels& Registry::logged_models() {
  return parts_->logged_models;
}
const LoggedModels& Registry::logged_models() const {
  return parts_->logged_models;
}
Models& Registry::models() {
  return parts_->models;
}
const Models& Registry::models() const {
  return parts_->models;
}
Artifacts& Registry::artifacts() {
  return parts_->artifacts;
}
const Artifacts& Registry::artifacts() const {
  return parts_->artifacts;
}

}  // namespace onnxop
