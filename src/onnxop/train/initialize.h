#pragma once
// Starting values of kernels, by Keras's rules. The same seed and stream give the same values.

#include <cstdint>

#include "onnxop/tensor/tensor.h"
#include "onnxop/train/spec.h"

namespace onnxop {

/// A kernel of `shape` (float32): uniform in ±sqrt(6 / (fan_in + fan_out)) for glorot_uniform,
/// ±sqrt(6 / fan_in) for he_uniform; normal with variance 2 / (fan_in + fan_out) or 2 / fan_in, cut
/// off at two standard deviations.
Tensor initial_kernel(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out,
                      InitializerKind kind, std::uint64_t seed, std::uint64_t stream);

}  // namespace onnxop
