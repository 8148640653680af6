#include "onnxop/registry/blob_store.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/folder.h"
#include "onnxop/base/secret.h"
#include "onnxop/base/sha256.h"
#include "onnxop/base/storage_error.h"
#include "onnxop/registry/process_owner.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string random_name() {
  std::array<std::byte, 16> bytes{};
  fill_secret(bytes);
  std::string name;
  for (const std::byte byte : bytes) {
    name += format("{:02x}", std::to_integer<int>(byte));
  }
  return name;
}

// The process that staged a file stands in its name, before the last '~'.
std::string owner_in_name(std::string owner) {
  std::ranges::replace(owner, ' ', '~');
  std::ranges::replace(owner, '/', '_');
  return owner + "~";
}

std::string owner_of_name(const std::string& name) {
  const auto end = name.rfind('~');
  std::string owner = end == std::string::npos ? std::string() : name.substr(0, end);
  std::ranges::replace(owner, '~', ' ');
  return owner;
}

[[noreturn]] void fail_io(const fs::path& path, std::string_view doing) {
  const std::error_code reason(errno, std::generic_category());
  fail_to_write(reason, format("{}: cannot {}", path.native(), doing));
}

struct FileFacts {
  std::int64_t bytes = 0;
  std::int64_t modified_seconds = 0;
};

std::optional<FileFacts> facts_of(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return std::nullopt;
  }
  return FileFacts{info.st_size, info.st_mtim.tv_sec};
}

class FolderBlobStore : public BlobStore {
 public:
  FolderBlobStore(fs::path folder, const Clock& clock)
      : folder_(std::move(folder)), clock_(clock) {}

  fs::path new_staging_file() override {
    make_folders(staging_folder());
    return staging_folder() / (owner_in_name(current_process_owner()) + random_name());
  }

  Blob seal(const fs::path& staged) const override {
    const auto facts = facts_of(staged);
    if (!facts) {
      fail(ErrorCode::kIo, "{}: there is no such staged file", staged.native());
    }
    const Blob blob{sha256_file(staged), facts->bytes};
    if (!set_modified_now(staged) || ::chmod(staged.c_str(), 0444) != 0) {
      fail_io(staged, "make read-only");
    }
    sync(staged, O_RDONLY);
    return blob;
  }

  void add(const fs::path& staged, const Blob& blob) override {
    const StagedFile remover(staged);
    const fs::path target = path_of(blob.sha256);
    make_durable_folder(target.parent_path());
    const auto present = facts_of(target);
    // One that is there stays, as new, so that who removes old ones leaves it alone; but one that
    // is cut short is mended.
    const bool kept = present && present->bytes == blob.bytes && set_modified_now(target);
    if (!kept && ::rename(staged.c_str(), target.c_str()) != 0) {
      fail_io(target, "rename onto");
    }
    // Also for one that is there: who put it there may not have come this far.
    sync_folder(target.parent_path());
  }

  fs::path file(std::string_view sha256) const override {
    const fs::path path = path_of(sha256);
    if (!facts_of(path)) {
      fail(ErrorCode::kNotFound, "{}: there is no such blob", path.native());
    }
    return path;
  }

  bool contains(std::string_view sha256) const override {
    return is_sha256(sha256) && facts_of(path_of(sha256)).has_value();
  }

  bool remove(std::string_view sha256, std::int64_t min_age_seconds) override {
    const fs::path path = path_of(sha256);
    const auto facts = facts_of(path);
    return facts && age_of(*facts) >= min_age_seconds && ::unlink(path.c_str()) == 0;
  }

  void for_each(
      const std::function<void(const Blob&, std::int64_t age_seconds)>& visit) const override {
    for_each_file(folder_ / "sha256", [&](const fs::path& path, const FileFacts& facts) {
      if (const std::string name = path.filename().string(); is_sha256(name)) {
        visit({name, facts.bytes}, age_of(facts));
      }
    });
  }

  std::int64_t remove_staged(std::int64_t min_age_seconds) override {
    std::int64_t bytes = 0;
    for_each_file(staging_folder(), [&](const fs::path& path, const FileFacts& facts) {
      if (age_of(facts) >= min_age_seconds && is_left(path, facts) && ::unlink(path.c_str()) == 0) {
        bytes += facts.bytes;
      }
    });
    return bytes;
  }

 private:
  fs::path staging_folder() const { return folder_ / "staging"; }

  fs::path path_of(std::string_view sha256) const {
    if (!is_sha256(sha256)) {
      fail(ErrorCode::kInvalidArgument, "'{}' is no SHA-256: expected 64 lower-case hex digits",
           sha256);
    }
    return folder_ / "sha256" / sha256.substr(0, 2) / sha256;
  }

  std::int64_t age_of(const FileFacts& facts) const {
    return to_unix_ms(clock_.wall()) / 1000 - facts.modified_seconds;
  }

  /// False when the file is not there.
  bool set_modified_now(const fs::path& path) const {
    const std::int64_t now_ms = to_unix_ms(clock_.wall());
    const timespec now{now_ms / 1000, now_ms % 1000 * 1'000'000};
    const std::array<timespec, 2> times{now, now};
    if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0) {
      return true;
    }
    if (errno != ENOENT) {
      fail_io(path, "set the time of");
    }
    return false;
  }

  // A staged file that nobody will come back for.
  bool is_left(const fs::path& path, const FileFacts& facts) const {
    constexpr std::int64_t kForgottenSeconds = 3600;
    const std::string owner = owner_of_name(path.filename().native());
    return !owner_is_alive(owner) && (owner_is_gone(owner) || age_of(facts) >= kForgottenSeconds);
  }

  static void sync(const fs::path& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
    const bool done = fd >= 0 && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) {
      ::close(fd);
    }
    if (!done) {
      errno = error;
      fail_io(path, "sync");
    }
  }

  static void sync_folder(const fs::path& folder) { sync(folder, O_RDONLY | O_DIRECTORY); }

  // A file is on disk only when the folders above it are.
  void make_durable_folder(const fs::path& folder) const {
    std::error_code ignored;
    if (fs::is_directory(folder, ignored)) {
      return;
    }
    make_folders(folder);
    sync_folder(folder.parent_path());
    sync_folder(folder_);
    sync_folder(folder_.parent_path());
  }

  template <typename Visit>
  static void for_each_file(const fs::path& folder, const Visit& visit) {
    std::error_code error;
    for (auto entry = fs::recursive_directory_iterator(folder, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      if (const auto facts = facts_of(entry->path())) {
        visit(entry->path(), *facts);
      }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      fail(ErrorCode::kIo, "{}: cannot read the folder: {}", folder.native(), error.message());
    }
  }

  fs::path folder_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<BlobStore> folder_blob_store(const fs::path& folder, const Clock& clock) {
  return std::make_unique<FolderBlobStore>(folder, clock);
}

}  // namespace onnxop
