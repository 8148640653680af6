#pragma once
// The artifacts of a store: paths such as "0/RUN_ID/artifacts/model/MLmodel" that point to blobs
// (blob_store.h). A path appears, or changes its content, in one transaction after the bytes are on
// disk. Folders are there as far as files are in them. Belongs to its Registry: one thread at a
// time. Methods throw Error{kInvalidArgument} for a path that is none (check_artifact_path) and
// {kNotFound} for one that is not there.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/blob_store.h"

namespace onnxop {

struct RegistryCore;

struct Artifact {
  std::string path = {};
  std::int64_t bytes = 0;
  std::string sha256 = {};
  std::int64_t created_ms = 0;
};

/// An entry of a folder's listing.
struct ArtifactEntry {
  std::string path = {};  // whole
  bool is_dir = false;
  std::int64_t bytes = 0;  // of a file
};

/// What is wrong in the store's files: a missing or changed blob or model file, by path.
struct Damage {
  std::string path = {};
  std::string problem = {};
};

class Artifacts {
 public:
  explicit Artifacts(RegistryCore& core) : core_(core) {}

  BlobStore& blobs();
  /// These throw Error{kFailedPrecondition} where the path is a folder, or one above it a file.
  Artifact put(std::string_view path, std::span<const std::byte> content);
  /// Takes a file over that was written to blobs().new_staging_file().
  Artifact put_staged(std::string_view path, const std::filesystem::path& staged);
  Artifact put_copy(std::string_view path, const std::filesystem::path& file);

  std::optional<Artifact> find(std::string_view path) const;
  /// A local file with the content, to be read only.
  std::filesystem::path file(const Artifact& artifact) const;
  /// What is directly in `folder` ("": the root), sorted by path; empty for what is no folder.
  std::vector<ArtifactEntry> list(std::string_view folder) const;
  /// All files at any depth below `folder`, sorted by path.
  std::vector<Artifact> tree(std::string_view folder) const;
  /// A file, or a folder with all that is in it. -> how many files.
  std::size_t remove(std::string_view path);

  /// Reads every artifact's blob again.
  std::vector<Damage> verify() const;
  /// Removes blobs that no path points to and that are that old, and files that were staged by
  /// processes that are gone; what somebody is storing meanwhile stays. -> how many bytes.
  std::int64_t gc(std::int64_t min_age_seconds = 0);

 private:
  RegistryCore& core_;
};

/// The path without superfluous slashes. Throws Error{kInvalidArgument} for an empty or absolute
/// one, one with "." or ".." as a part, a NUL or other control character, a backslash, a drive
/// letter or scheme, a part that is percent-encoded still ("%2e", "%252e"), or over 2,600 bytes.
std::string check_artifact_path(std::string_view path);

}  // namespace onnxop
