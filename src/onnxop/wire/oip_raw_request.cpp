#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/wire/oip_datatype.h"
#include "onnxop/wire/oip_request.h"
#include "onnxop/wire/raw_tensor.h"

namespace onnxop {
namespace {

/// What the body's size leaves open is 1 for the batch, and the free dimension as large as the
/// body makes it.
Shape raw_shape(const TensorInfo& input, std::size_t body_size, std::string_view what) {
  Shape shape = input.shape;
  if (!shape.empty() && shape.front() == -1) {
    shape.front() = 1;
  }
  if (std::count(shape.begin(), shape.end(), -1) > 1) {
    fail(ErrorCode::kInvalidArgument,
         "{}: a raw request cannot say its shape {}, of which at most one dimension beside the "
         "batch may be free",
         what, shape_text(input.shape));
  }
  const auto free = std::find(shape.begin(), shape.end(), -1);
  if (free == shape.end()) {
    return shape;
  }
  *free = 1;
  if (input.dtype != DType::kString) {
    const auto row = static_cast<std::size_t>(element_count(shape)) * dtype_size(input.dtype);
    *free = row == 0 ? 0 : static_cast<std::int64_t>(body_size / row);
  }
  return shape;
}

}  // namespace

InferRequest parse_raw_request(std::span<std::byte> body, std::span<const TensorInfo> inputs) {
  if (inputs.size() != 1) {
    fail(ErrorCode::kInvalidArgument,
         "a raw request has one input, but the model has {}: say which is which in JSON",
         inputs.size());
  }
  const TensorInfo& input = inputs.front();
  const std::string what = format("input '{}'", input.name);
  if (oip_datatype(input.dtype).empty()) {
    fail(ErrorCode::kUnsupported, "{}: the model takes {}, which the protocol has no name for",
         what, dtype_name(input.dtype));
  }
  Shape shape = raw_shape(input, body.size(), what);
  InferRequest request;
  request.binary_outputs = true;
  if (input.dtype != DType::kString) {
    request.inputs.push_back({input.name, raw_tensor(input.dtype, std::move(shape), body, what)});
    return request;
  }
  if (element_count(shape) != 1) {
    fail(ErrorCode::kInvalidArgument, "{}: a raw request holds one text, expected shape {}", what,
         shape_text(shape));
  }
  std::string text(reinterpret_cast<const char*>(body.data()), body.size());
  request.inputs.push_back({input.name, Tensor::of_strings(std::move(shape), {std::move(text)})});
  return request;
}

std::uint64_t parse_header_length(std::string_view text, std::size_t body_size) {
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size() || length > body_size) {
    fail(ErrorCode::kInvalidArgument,
         "Inference-Header-Content-Length: got '{}', expected 0 to the {} bytes of the body", text,
         body_size);
  }
  return length;
}

}  // namespace onnxop
