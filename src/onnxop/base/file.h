#pragma once
// Whole files: read with a limit, and published by one last atomic step (write aside, fsync,
// rename, fsync the folder), so that a reader sees the old file, the new one, or none, never a
// part. Functions are safe to call from any thread; two writers of one path: the last rename wins.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onnxop {

using Bytes = std::vector<std::byte>;

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The whole file. Throws Error{kNotFound} when it is not there, {kTooLarge} when it is over
/// `max_bytes`, {kIo} else.
Bytes read_file(const std::filesystem::path& path, std::uint64_t max_bytes = UINT64_MAX);

/// The same as text.
std::string read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes = UINT64_MAX);

/// Writes aside, then renames over `path`. Throws Error{kNotFound} where its folder is not there,
/// {kIo} else, leaving `path` as it was.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> content);

/// The file's content as a new file; what is written of it when it fails stays. Throws
/// Error{kNotFound} when there is none, {kIo} else: a full disk is called so.
void copy_to_new_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// A folder filled aside and published under its final name by one rename; what was not published
/// is removed. Owner: one thread. The staging folder is `.<name>.<random>` beside the final one,
/// which must be on one file system with it.
class StagedDirectory {
 public:
  /// Makes the staging folder, and the parent of `final_path`. Throws Error{kIo}.
  explicit StagedDirectory(std::filesystem::path final_path);
  ~StagedDirectory();
  StagedDirectory(const StagedDirectory&) = delete;
  StagedDirectory& operator=(const StagedDirectory&) = delete;

  /// Where to put the files until they are published.
  const std::filesystem::path& path() const { return staging_; }

  /// Fsyncs what is inside and renames. Throws Error{kAlreadyExists} when the final path is taken,
  /// {kIo} else.
  void publish();

 private:
  std::filesystem::path final_;
  std::filesystem::path staging_;
  bool published_ = false;
};

}  // namespace onnxop
