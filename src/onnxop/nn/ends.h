#pragma once
// The two ends of the chain: what the graph does to its input before the first operator, and the
// loss behind the last one. Private to this room.

#include <span>
#include <vector>

#include "onnxop/nn/network.h"
#include "onnxop/nn/operator.h"

namespace onnxop {

/// Nodes that scale and shift the input by constants and bring it to channels-first, folded to y =
/// x * scale + offset per channel.
struct InputStage {
  Layout layout;                     // of value 0: plain
  bool channels_last = false;        // how a sample comes in
  std::vector<float> scale, offset;  // by channel (by feature for vectors)

  void load(PieceContext& context) const;
};

/// Softmax with categorical cross-entropy, or mean squared error; in float32.
struct LossStage {
  LossKind kind = LossKind::kCategoricalCrossentropy;
  bool softmax = false;
  Layout layout;  // of the last value; one pixel

  std::int64_t outputs() const { return layout.channels; }
  /// Writes context.outputs.
  void predict(PieceContext& context) const;
  /// Adds up loss and correct answers and writes the last value's gradient, of the batch's mean
  /// loss.
  void differentiate(PieceContext& context) const;
};

}  // namespace onnxop
