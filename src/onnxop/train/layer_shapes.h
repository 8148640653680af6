#pragma once
// Shapes through a spec's layers: [height, width, channels] or [features] of one sample, -1 where
// not yet known. Pure functions.

#include <array>
#include <cstdint>
#include <vector>

#include "onnxop/tensor/tensor.h"
#include "onnxop/train/spec.h"

namespace onnxop {

/// What a window (kernel or pool) makes of one dimension.
struct WindowResult {
  std::int64_t size = 0;    // 0 or less: the window does not fit
  std::int64_t before = 0;  // padding
  std::int64_t after = 0;
};

/// Keras's rule: `valid` pads nothing; `same` gives ceil(size / stride), and an odd padding has its
/// larger half after.
WindowResult apply_window(std::int64_t size, std::int64_t window, std::int64_t stride,
                          PaddingKind padding);

/// The output's shape of each layer. Throws Error{kInvalidArgument} that names the place and the
/// layer, "layer 5 Conv2D: …".
std::vector<Shape> layer_shapes(const std::vector<LayerSpec>& layers, const Shape& sample);

/// layer_shapes, and that the last layer gives `outputs` values (-1: not known yet) as the loss
/// needs them: softmax where and only where classes are told apart.
void check_network(const TrainSpec& spec, const Shape& sample, std::int64_t outputs);

/// "28x28x1", "128 features"
std::string sample_text(const Shape& shape);

}  // namespace onnxop
