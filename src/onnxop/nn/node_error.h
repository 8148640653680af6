#pragma once
// What a node must be, said in one way. Private to this room.

#include <string_view>

#include "onnxop/base/error.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {

/// Throws Error{kUnsupported} that names the node.
[[noreturn]] inline void refuse(const GraphNode& node, std::string_view what) {
  fail(ErrorCode::kUnsupported, "node '{}' ({}): {}", node.name, node.op_type, what);
}

/// The initializer that the node's input of this number is; refuses a node where that is none of
/// float32.
inline const GraphInitializer& float_initializer(const Graph& graph, const GraphNode& node,
                                                 std::size_t input) {
  const GraphInitializer* found =
      input < node.inputs.size() ? graph.find_initializer(node.inputs[input]) : nullptr;
  if (found == nullptr || found->tensor.dtype() != DType::kFloat32) {
    refuse(node, format("its input {} is no float32 initializer", input));
  }
  return *found;
}

}  // namespace onnxop
