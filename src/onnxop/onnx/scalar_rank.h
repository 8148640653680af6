#pragma once
// ONNX Runtime computes a node element by element, a call for each, where a constant of one element
// meets a tensor whose last dimension is 1 and has not its rank: the scale of gray images, channels
// last. With the tensor's rank, which changes no result, it is ten times as fast. Private to this
// room.

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "onnxop/onnx/batch_graph.h"

namespace onnx {
class ModelProto;
}

namespace onnxop {

struct SlowScalar {
  std::size_t node = 0;   // its index in the graph
  std::size_t input = 0;  // the constant, of the node's two
  std::size_t rank = 0;   // of the tensor
};

/// Of a node with these inputs, which are null where they are left out.
std::optional<SlowScalar> slow_scalar(const BatchNode& node, std::size_t index,
                                      const std::vector<const BatchValue*>& inputs);

/// Gives the nodes constants of the tensors' rank; those that are computed stay. How many it gave;
/// `given_up` gets the names of those that they had.
std::size_t widen_scalars(onnx::ModelProto& model, const std::vector<SlowScalar>& scalars,
                          std::set<std::string>& given_up);

}  // namespace onnxop
