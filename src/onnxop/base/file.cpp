#include "onnxop/base/file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "onnxop/base/error.h"
#include "onnxop/base/folder.h"
#include "onnxop/base/secret.h"
#include "onnxop/base/storage_error.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

bool is_missing(int error) {
  return error == ENOENT || error == ENOTDIR;
}

[[noreturn]] void fail_read(const fs::path& path, std::string_view doing) {
  const int error = errno;
  fail(is_missing(error) ? ErrorCode::kNotFound : ErrorCode::kIo, "{}: cannot {}: {}",
       path.string(), doing, std::strerror(error));
}

[[noreturn]] void fail_write(const fs::path& path, std::string_view doing) {
  if (is_missing(errno)) {
    fail_read(path, doing);
  }
  const std::error_code reason(errno, std::generic_category());
  fail_to_write(reason, format("{}: cannot {}", path.string(), doing));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  /// Some file systems report a failed write only here.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

template <typename Buffer>
Buffer read_whole(const fs::path& path, std::uint64_t max_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    fail_read(path, "open");
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) {
    fail_read(path, "read");
  }
  if (S_ISDIR(info.st_mode)) {
    fail(ErrorCode::kInvalidArgument, "{}: is a folder, expected a file", path.string());
  }
  const auto too_large = [&](std::uint64_t size) {
    fail(ErrorCode::kTooLarge, "{}: {} bytes or more, expected at most {}", path.string(), size,
         max_bytes);
  };
  if (static_cast<std::uint64_t>(info.st_size) > max_bytes) {
    too_large(static_cast<std::uint64_t>(info.st_size));
  }
  Buffer content(static_cast<std::size_t>(info.st_size), typename Buffer::value_type{});
  std::size_t got = 0;
  while (true) {
    if (got == content.size()) {
      // One more byte tells the end of a file from one that grows or, as in /proc, has no size.
      content.resize(got + (got == static_cast<std::size_t>(info.st_size) ? 1 : got / 2 + 65536));
    }
    const auto n = ::read(file.get(), content.data() + got, content.size() - got);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      fail_read(path, "read");
    }
    if (n == 0) {
      break;
    }
    got += static_cast<std::size_t>(n);
    if (got > max_bytes) {
      too_large(got);
    }
  }
  content.resize(got);
  return content;
}

void fsync_folder(const fs::path& folder) {
  const FileDescriptor fd(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) {
    fail_write(folder, "sync the folder");
  }
}

void write_all(int fd, std::span<const std::byte> content, const fs::path& path) {
  while (!content.empty()) {
    const auto n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      fail_write(path, "write");
    }
    content = content.subspan(static_cast<std::size_t>(n));
  }
}

fs::path parent_or_dot(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// `mode`: who may read and write it.
void write_aside_and_rename(const fs::path& path, std::span<const std::byte> content, mode_t mode) {
  const auto folder = parent_or_dot(path);
  std::string aside = (folder / ("." + path.filename().string() + ".XXXXXX")).string();
  FileDescriptor file(::mkostemp(aside.data(), O_CLOEXEC));
  if (file.get() < 0) {
    fail_write(path, "write");
  }
  try {
    write_all(file.get(), content, path);
    if (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0 || !file.close()) {
      fail_write(path, "write");
    }
    if (::rename(aside.c_str(), path.c_str()) != 0) {
      fail_write(path, "rename onto");
    }
  } catch (...) {
    ::unlink(aside.c_str());
    throw;
  }
  fsync_folder(folder);
}

}  // namespace

Bytes read_file(const fs::path& path, std::uint64_t max_bytes) {
  return read_whole<Bytes>(path, max_bytes);
}

std::string read_text_file(const fs::path& path, std::uint64_t max_bytes) {
  return read_whole<std::string>(path, max_bytes);
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> content) {
  write_aside_and_rename(path, content, 0644);
}

void write_secret_file(const fs::path& path, std::span<const std::byte> content) {
  write_aside_and_rename(path, content, 0600);
}

// The standard library's own says "Input/output error" of a disk that fills up halfway.
void copy_to_new_file(const fs::path& from, const fs::path& to) {
  const FileDescriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (source.get() < 0) {
    fail_read(from, "open");
  }
  FileDescriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (target.get() < 0) {
    fail_write(to, "write");
  }
  Bytes piece(std::size_t{1} << 20);
  while (true) {
    const auto n = ::read(source.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      fail_read(from, "read");
    }
    if (n == 0) {
      break;
    }
    write_all(target.get(), std::span(piece).first(static_cast<std::size_t>(n)), to);
  }
  if (!target.close()) {
    fail_write(to, "write");
  }
}

StagedDirectory::StagedDirectory(fs::path final_path) : final_(std::move(final_path)) {
  const auto folder = parent_or_dot(final_);
  make_folders(folder);
  std::string staging = (folder / ("." + final_.filename().string() + ".XXXXXX")).string();
  if (::mkdtemp(staging.data()) == nullptr || ::chmod(staging.c_str(), 0755) != 0) {
    fail_write(folder, "make a folder in");
  }
  staging_ = staging;
}

StagedDirectory::~StagedDirectory() {
  if (!published_) {
    std::error_code ignored;
    fs::remove_all(staging_, ignored);
  }
}

void StagedDirectory::publish() {
  for (const auto& entry : fs::recursive_directory_iterator(staging_)) {
    const FileDescriptor fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0 || ::fsync(fd.get()) != 0) {
      fail_write(entry.path(), "sync");
    }
  }
  fsync_folder(staging_);
  if (::renameat2(AT_FDCWD, staging_.c_str(), AT_FDCWD, final_.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) {
      fail(ErrorCode::kAlreadyExists, "{}: is there already", final_.string());
    }
    fail_write(final_, "rename onto");
  }
  published_ = true;
  fsync_folder(parent_or_dot(final_));
}

}  // namespace onnxop
