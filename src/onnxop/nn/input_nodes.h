#pragma once
// A graph's input and the nodes that scale it and bring it to channels-first, folded into the
// InputStage. Private to this room.

#include <cstdint>
#include <vector>

#include "onnxop/nn/ends.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {

class InputNodes {
 public:
  /// `graph` must outlive this. Throws Error{kUnsupported} unless it has one input and one output,
  /// the input float32 [N, features] or of four dimensions.
  explicit InputNodes(const Graph& graph);

  /// Folds the next node in; false for one of another kind. Throws Error{kUnsupported} naming the
  /// node where its constants do not fit.
  bool take(const GraphNode& node);

  /// All that was taken, for pieces of `piece` samples.
  InputStage stage(std::int64_t piece, Precision precision) const;

 private:
  const Graph& graph_;
  Shape shape_;  // of a sample
  bool image_ = false;
  bool transposed_ = false;
  std::vector<float> last_scale_, last_offset_;  // along the last dimension as it comes in
};

}  // namespace onnxop
