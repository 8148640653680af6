#pragma once
// The "data" of a tensor in a JSON request. Private to this room.

#include <string_view>

#include "onnxop/tensor/tensor.h"
#include "onnxop/wire/json_reading.h"

namespace onnxop {

/// The elements, nested in whatever way or flat, in order. Whole numbers must be written as such
/// and lie in the type's range; FP32 and FP64 take any number that is finite in that type; BOOL
/// takes true, false, 0 and 1. Throws Error{kInvalidArgument} that names `what`, the element, what
/// it was and what was expected; also for FP16 and BF16, and unless there are as many elements as
/// `shape` says. `json_bytes` of text can hold only so many elements: no memory is taken for more.
Tensor read_json_data(DType dtype, Shape shape, const JsonArray& data, std::size_t json_bytes,
                      std::string_view what);

}  // namespace onnxop
