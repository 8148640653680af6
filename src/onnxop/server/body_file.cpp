#include "onnxop/server/body_file.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "onnxop/base/folder.h"
#include "onnxop/base/storage_error.h"

namespace onnxop {
namespace {

constexpr mode_t kMode = 0644;

[[noreturn]] void fail_to_read(const std::filesystem::path& path) {
  const int number = errno;
  fail(number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "{} cannot be read: {}",
       path.native(), std::generic_category().message(number));
}

[[noreturn]] void fail_written(const std::filesystem::path& path) {
  const std::error_code reason(errno, std::generic_category());
  fail_to_write(reason, format("{} cannot be written", path.native()));
}

}  // namespace

BodyFile::BodyFile(std::filesystem::path path) : path_(std::move(path)) {
  make_folders(path_.parent_path());
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  if (file_ < 0) {
    fail_written(path_);
  }
}

BodyFile::~BodyFile() {
  if (file_ >= 0) {
    ::close(file_);
  }
  if (!path_.empty()) {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
}

void BodyFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      fail_written(path_);
    }
  }
}

std::filesystem::path BodyFile::take() {
  ::close(std::exchange(file_, -1));
  return std::exchange(path_, {});
}

FileBody::FileBody(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    fail_to_read(path);
  }
  file_ = std::shared_ptr<const int>(new int(file), [](const int* opened) {
    ::close(*opened);
    delete opened;
  });
  struct stat status {};
  if (::fstat(file, &status) != 0) {
    fail_to_read(path);
  }
  bytes = static_cast<std::uint64_t>(status.st_size);
}

void FileBody::read(std::uint64_t at, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t count = ::pread(*file_, to.data(), to.size(), static_cast<off_t>(offset + at));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      fail(ErrorCode::kIo, "a file cannot be read: {}",
           count == 0 ? std::string("it has become shorter")
                      : std::generic_category().message(errno));
    }
    at += static_cast<std::uint64_t>(count);
    to = to.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace onnxop
