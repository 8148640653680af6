#pragma once
// From where a version that a client registers takes its files, and what it is downloaded from.

#include <string>

#include "onnxop/registry/registry.h"

namespace onnxop {

/// The folder of the artifacts that `version.source` names. It has to lie in those of the run or
/// logged model that the version names; where it names none, the source does, and the version is
/// given it. Throws Error{kInvalidArgument}.
std::string source_folder(const Registry& registry, NewVersion& version);

/// "models:/NAME/3" or "models:/NAME@alias" -> "NAME:3", "NAME@alias" for Models::resolve(); "" for
/// a source that is none of these.
std::string copied_version(const std::string& source);

/// The URI of the folder that the version came from. Throws Error{kFailedPrecondition} for one
/// whose files did not come from artifacts.
std::string download_uri(const Registry& registry, const ModelVersion& version);

}  // namespace onnxop
