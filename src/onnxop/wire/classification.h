#pragma once
// Triton's classification extension: the best classes of each row as texts "value:index[:label]".

#include <cstdint>
#include <span>
#include <string>

#include "onnxop/tensor/tensor.h"

namespace onnxop {

/// The first dimension is the rows, and all that a row holds are its classes, as Triton has it (so
/// [2, 1000, 1, 1] are two rows of 1000); the result has shape [rows, count]. A tensor of one
/// dimension is one row, the result [count]. Of equal values the first comes first; NaN come last.
/// `count` is cut down to the classes that there are. Throws Error{kInvalidArgument} for a tensor
/// without dimensions, or whose elements are no float32, float64 or whole numbers.
Tensor classify_rows(const Tensor& tensor, std::int64_t count, std::span<const std::string> labels);

}  // namespace onnxop
