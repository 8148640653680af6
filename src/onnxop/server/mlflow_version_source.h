#pragma once
// From where a version that a client registers takes its files, and what it is downloaded from.

#include <optional>
#include <string>

#include "onnxop/registry/registry.h"

namespace onnxop {

/// The folder of the artifacts that `version.source` names. It has to lie in those of the run or
/// logged model that the version names; where it names none, the source does, and the version is
/// given it. Throws Error{kInvalidArgument}.
std::string source_folder(const Registry& registry, NewVersion& version);

/// The version that "models:/NAME/3" or "models:/NAME@alias" names, whether it can be served or
/// not; none for a source that is none of these. Throws Error{kNotFound}.
std::optional<ModelVersion> find_copied(const Models& models, const std::string& source);

/// The URI of the folder that the version came from, or the version that it is a copy of. Throws
/// Error{kFailedPrecondition} for one whose files did not come from artifacts, and for a copy of
/// what is another version now, {kNotFound} for a copy of one that is gone.
std::string download_uri(const Registry& registry, ModelVersion version);

}  // namespace onnxop
