#pragma once
// Files by their content: each is kept once, under its SHA-256, and never changes. Where the bytes
// lie (a folder; an object store) is behind this interface. Safe to call from any thread.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "onnxop/base/clock.h"

namespace onnxop {

struct Blob {
  std::string sha256 = {};  // 64 lower-case hexadecimal digits
  std::int64_t bytes = 0;
};

/// Removes its file at its end, unless that was moved away.
class StagedFile {
 public:
  explicit StagedFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~StagedFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

 private:
  std::filesystem::path path_;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// A path for a file to be written and then added; on the same file system as the blobs. It
  /// belongs to the calling process, and nobody collects it while that lives.
  virtual std::filesystem::path new_staging_file() = 0;
  /// Makes the staged file ready for add(): read-only, on disk, its hash known. Throws Error{kIo}.
  virtual Blob seal(const std::filesystem::path& staged) const = 0;
  /// Takes the sealed file over; on disk when this returns. A blob of the same size that is there
  /// already is kept, and counts as new. Throws Error{kIo}; the staged file is gone in any case.
  virtual void add(const std::filesystem::path& staged, const Blob& blob) = 0;
  /// A local file with the content, to be read only. Throws Error{kNotFound}.
  virtual std::filesystem::path file(std::string_view sha256) const = 0;
  virtual bool contains(std::string_view sha256) const = 0;
  /// Removes a blob that was added that long ago; false when it is younger, or not there.
  virtual bool remove(std::string_view sha256, std::int64_t min_age_seconds = 0) = 0;
  /// Calls visit(blob, age in seconds) for each.
  virtual void for_each(
      const std::function<void(const Blob&, std::int64_t age_seconds)>& visit) const = 0;
  /// Removes staged files that old whose process has ended; of processes that cannot be known from
  /// here, those that were not written to for an hour. -> how many bytes.
  virtual std::int64_t remove_staged(std::int64_t min_age_seconds) = 0;
};

/// In `folder`/sha256/ab/abcdef…, read-only, staged in `folder`/staging; the folder is made when it
/// is first written. Ages are those of the files, by `clock`.
std::unique_ptr<BlobStore> folder_blob_store(const std::filesystem::path& folder,
                                             const Clock& clock);

}  // namespace onnxop
