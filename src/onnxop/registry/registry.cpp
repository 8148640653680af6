#include "onnxop/registry/registry.h"

#include <system_error>

#include <soci/soci.h>

#include "onnxop/base/error.h"
#include "onnxop/registry/registry_impl.h"
#include "onnxop/registry/schema.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDatabaseFile = "onnxop.db";

// A folder that only a store has; empty when there is none.
std::string_view find_store_folder(const fs::path& dir) {
  std::error_code ignored;
  for (const std::string_view folder : {"models", "runs"}) {
    if (fs::is_directory(dir / folder, ignored)) {
      return folder;
    }
  }
  return {};
}

// The database's path, once the folder is known to be a store or to be free for one. Another
// process may be making the same store meanwhile: folder, database, folders within, in this order.
fs::path find_database(const fs::path& dir, bool must_exist) {
  const fs::path file = dir / kDatabaseFile;
  std::error_code error;
  const fs::file_status status = fs::status(dir, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    fail(ErrorCode::kInvalidArgument, "the store {} is a file, not a folder", dir.native());
  }
  const std::string_view folder = find_store_folder(dir);
  if (fs::exists(file, error)) {
    return file;
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
  fs::create_directories(dir, error);
  if (error) {
    fail(ErrorCode::kIo, "cannot make the store {}: {}", dir.native(), error.message());
  }
  return file;
}

}  // namespace

std::string_view run_status_name(RunStatus status) {
  switch (status) {
    case RunStatus::kRunning:
      return "RUNNING";
    case RunStatus::kFinished:
      return "FINISHED";
    case RunStatus::kFailed:
      return "FAILED";
    case RunStatus::kKilled:
      return "KILLED";
  }
  fail(ErrorCode::kInternal, "run status {} has no name", static_cast<int>(status));
}

Registry::Impl::Impl(const fs::path& store_dir, const Clock& store_clock, bool must_exist)
    : dir(fs::absolute(store_dir).lexically_normal()),
      clock(store_clock),
      database(find_database(dir, must_exist), !must_exist) {
  if (must_exist && schema_version(database) == 0) {
    fail(ErrorCode::kNotFound, "there is no store at {} ({} is empty)", dir.native(),
         kDatabaseFile);
  }
  migrate(database, store_migrations(), now_ms());
}

Registry::Registry(const fs::path& dir, const Clock& clock, bool must_exist)
    : impl_(std::make_unique<Impl>(dir, clock, must_exist)) {}

Registry::~Registry() = default;

const fs::path& Registry::dir() const {
  return impl_->dir;
}

}  // namespace onnxop
