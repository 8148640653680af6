#pragma once
// A model that a client has logged, as a version that can be served.

#include <optional>
#include <string>
#include <string_view>

#include "onnxop/registry/registry.h"

namespace onnxop {

/// Publishes `version`, whose files lie in `folder` of the artifacts. Where a model in ONNX form is
/// among them (the file that MLmodel's flavor onnx names; without an MLmodel the only *.onnx in the
/// folder itself), the version gets it with its external data, checked and loaded as import_model
/// does. Where there is none the version cannot be served; where it cannot be used neither, and the
/// tag "onnxop.not_served" says why. Throws Error{kIo} and what Models::publish() throws.
ModelVersion publish_from_artifacts(Registry& registry, NewVersion version,
                                    std::string_view folder);

/// The file that an MLmodel's flavor onnx names as its data; none where it has not that flavor.
std::optional<std::string> onnx_data_of(std::string_view mlmodel);

}  // namespace onnxop
