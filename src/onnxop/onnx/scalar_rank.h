#pragma once
// Inputs that the graph itself scales by constants of one element, such as gray images, channels
// last. Where the last dimension is 1, ONNX Runtime computes such a node element by element, a call
// for each, unless the constant has the input's rank: with it the same sums are ten times as fast.
// Private to this room.

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "onnxop/onnx/batch_graph.h"
#include "onnxop/onnx/proto_types.h"

namespace onnxop {

struct SlowScalar {
  std::size_t node = 0;   // its index in the graph
  std::size_t input = 0;  // the constant, of the node's two
  std::size_t rank = 0;   // of the tensor that it meets
};

/// Finds them in a graph that is gone through from its inputs on. What comes behind any other
/// operator is left alone: the engine knows patterns there, with constants as they are.
class ScaledInputs {
 public:
  explicit ScaledInputs(const BatchGraph& graph);

  /// The node's inputs; null where they are left out.
  void take(const BatchNode& node, std::size_t index, const std::vector<const BatchValue*>& inputs);

  const std::vector<SlowScalar>& slow() const { return slow_; }

 private:
  std::set<std::string> scaled_;  // inputs, and what is made of them by a type or a scale alone
  std::vector<SlowScalar> slow_;
};

/// Gives the nodes constants of the tensors' rank; those that are computed stay. How many constants
/// it made; `given_up` gets the names of those that they stand for.
std::size_t widen_scalars(onnx::ModelProto& model, const std::vector<SlowScalar>& scalars,
                          std::set<std::string>& given_up);

}  // namespace onnxop
