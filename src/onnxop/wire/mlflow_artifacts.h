#pragma once
// Artifacts as MLflow's REST API has them: listings, and the URIs that say where they lie.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/artifacts.h"

namespace onnxop {

/// "mlflow-artifacts:/0/RUN_ID/artifacts" for a path among the artifacts.
std::string artifact_uri(std::string_view path);

/// The path that "mlflow-artifacts:/PATH" stands for, for `parameter` of a request; "" for "".
/// Throws Error{kInvalidArgument} for every other place: this server keeps all artifacts itself,
/// and one with a host may mean another.
std::string artifact_path_of(std::string_view uri, std::string_view parameter);

/// {"root_uri": …, "files": [{"path", "is_dir", "file_size"}, …]}. Paths are given relative to
/// `root`, below which all entries lie; "" as `root_uri`: there is none in the answer.
std::string artifact_list_json(std::string_view root_uri, std::string_view root,
                               const std::vector<ArtifactEntry>& entries);

/// Where a registered version's files come from, as a client names it.
struct VersionSource {
  enum class Kind { kArtifacts, kRun, kLoggedModel, kOther };
  Kind kind = Kind::kOther;
  std::string id;    // of the run, of the logged model
  std::string path;  // kArtifacts: among all; kRun, kLoggedModel: below its root, may be ""
};

/// "mlflow-artifacts:/0/RUN/artifacts/model" (or with a host, or as the HTTP address that stands
/// for it), "runs:/RUN/model", "models:/m-…"; everything else is kOther. Throws
/// Error{kInvalidArgument} for a path with "..", a NUL or a backslash in it, also one that is
/// percent-encoded, however often.
VersionSource parse_version_source(std::string_view source);

}  // namespace onnxop
