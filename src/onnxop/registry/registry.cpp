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

// The database's path, once the folder is known to be a store or to be free for one.
fs::path find_database(const fs::path& dir, bool must_exist) {
  const fs::path file = dir / kDatabaseFile;
  std::error_code error;
  const bool is_folder = fs::is_directory(dir, error);
  if (!is_folder && fs::exists(dir, error)) {
    fail(ErrorCode::kInvalidArgument, "the store {} is a file, not a folder", dir.native());
  }
  if (is_folder && fs::exists(file, error)) {
    return file;
  }
  for (const char* folder : {"models", "runs"}) {
    if (is_folder && fs::is_directory(dir / folder, error)) {
      fail(ErrorCode::kDataLoss, "{} has a folder '{}' but no {}: a store without its database",
           dir.native(), folder, kDatabaseFile);
    }
  }
  if (must_exist) {
    fail(ErrorCode::kNotFound, "there is no store at {}{}", dir.native(),
         is_folder ? format(" (the folder has no {})", kDatabaseFile) : " (no such folder)");
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

Registry::Impl::Impl(fs::path store_dir, const Clock& store_clock, bool must_exist)
    : dir(fs::absolute(store_dir).lexically_normal()),
      clock(store_clock),
      database(find_database(dir, must_exist), !must_exist) {
  if (must_exist && database.is_empty()) {
    fail(ErrorCode::kNotFound, "there is no store at {} ({} is empty)", dir.native(),
         kDatabaseFile);
  }
  migrate(database, store_migrations(), now_ms());
}

Registry::Registry(fs::path dir, const Clock& clock, bool must_exist)
    : impl_(std::make_unique<Impl>(std::move(dir), clock, must_exist)) {}

Registry::~Registry() = default;

const fs::path& Registry::dir() const {
  return impl_->dir;
}

}  // namespace onnxop
