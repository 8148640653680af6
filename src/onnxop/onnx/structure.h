#pragma once
// The rules of ONNX that hold for every version and operator set, so that they can be judged where
// libonnx is too old, and must hold before libonnx's own code, which trusts them, looks at a model.
// Private to this room.

#include <filesystem>
#include <string>
#include <vector>

#include "onnxop/onnx/proto_types.h"

namespace onnxop {

/// What breaks them, one sentence each; at most the first 20. Checked: every node input is made
/// before it is used (so the graph has no cycle), no name is made twice, graph outputs exist, every
/// node has an operator whose domain is imported, attributes have names, tensors have the size and
/// external data the place that they should and declared values no absurd size (tensor_check.h),
/// sizes in attributes (strides, groups, ...) are positive.
std::vector<std::string> structural_problems(const onnx::ModelProto& model,
                                             const std::filesystem::path& folder);

}  // namespace onnxop
