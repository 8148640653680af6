#pragma once
// Files in the place of bodies that are too large for memory: one that a request's body is written
// to, and one that an answer's body is read from. One thread at a time. They block: not for I/O
// threads.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace onnxop {

/// Goes with this object, unless somebody took it.
class BodyFile {
 public:
  /// Creates the file, which must not be there. Throws Error{kIo}.
  explicit BodyFile(std::filesystem::path path);
  ~BodyFile();
  BodyFile(const BodyFile&) = delete;
  BodyFile& operator=(const BodyFile&) = delete;

  /// Throws Error{kIo}: a full disk is called so.
  void append(std::span<const std::byte> bytes);
  /// Who takes it has to take the file away. Nothing is appended afterwards.
  std::filesystem::path take();

 private:
  std::filesystem::path path_;  // "": taken
  int file_ = -1;
};

/// A part of a file, which stays open.
class FileBody {
 public:
  FileBody() = default;
  /// Throws Error{kNotFound} when it is not there, {kIo} else.
  explicit FileBody(const std::filesystem::path& path);

  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;  // at first all of the file

  /// Fills `to` from `at` bytes behind the part's beginning on. Throws Error{kIo}, also where the
  /// file has become shorter.
  void read(std::uint64_t at, std::span<std::byte> to) const;

 private:
  std::shared_ptr<const int> file_;  // closed with the last copy
};

}  // namespace onnxop
