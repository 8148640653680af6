#pragma once
// Tensors as raw bytes, as both the binary extension of REST and gRPC's raw contents have them:
// little-endian, row-major, no padding; a text is a uint32 length and its bytes.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "onnxop/tensor/tensor.h"

namespace onnxop {

/// Looks at `bytes` where they are aligned for the type (they must live as long as the tensor, or
/// `owner` keep them), copies them elsewhere. Throws Error{kInvalidArgument} that names `what` for
/// a size that does not fit, and for a BOOL other than 0 and 1.
Tensor raw_tensor(DType dtype, Shape shape, std::span<std::byte> bytes, std::string_view what,
                  std::shared_ptr<void> owner = nullptr);

/// A tensor of texts as bytes.
std::vector<std::byte> raw_strings(const Tensor& tensor);

/// Throws Error{kInvalidArgument} for a shape with a negative dimension, {kTooLarge} for more than
/// `max_elements`.
std::int64_t checked_element_count(const Shape& shape, std::int64_t max_elements,
                                   std::string_view what);

}  // namespace onnxop
