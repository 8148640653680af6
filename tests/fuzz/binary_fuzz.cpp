// Inference requests with raw tensors. Up to the first NUL the input is the JSON, and what is
// behind it the raw tensors; without a NUL it is a raw request, whose first byte says of which
// input.

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "fuzz/fuzz.h"
#include "fuzz/tensors.h"
#include "onnxop/wire/oip_request.h"

namespace onnxop {
namespace {

void fuzz_json_and_tensors(std::span<const std::byte> json, std::span<const std::byte> tensors) {
  Bytes body(json.begin(), json.end());
  body.insert(body.end(), tensors.begin(), tensors.end());
  InferLimits limits;
  limits.max_elements = 1U << 16;
  fuzz::require_sound(parse_infer_request(body, json.size(), limits), limits);
}

void fuzz_raw(std::span<const std::byte> bytes) {
  static const std::array<TensorInfo, 6> inputs{
      TensorInfo{"x", DType::kFloat32, {-1, 3}}, TensorInfo{"x", DType::kString, {1}},
      TensorInfo{"x", DType::kBool, {2, -1}},    TensorInfo{"x", DType::kFloat16, {-1, -1, 2}},
      TensorInfo{"x", DType::kInt64, {}},        TensorInfo{"x", DType::kUint8, {-1, 0, -1}}};
  Bytes body(bytes.begin() + 1, bytes.end());
  const TensorInfo& input = inputs[std::to_integer<std::size_t>(bytes.front()) % inputs.size()];
  const InferRequest request = parse_raw_request(body, std::span(&input, 1));
  fuzz::require_sound(request, {});
}

}  // namespace
}  // namespace onnxop

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onnxop;
  const auto bytes = fuzz::bytes_of(data, size);
  const auto end = std::find(bytes.begin(), bytes.end(), std::byte{0});
  fuzz::allow({ErrorCode::kInvalidArgument, ErrorCode::kTooLarge, ErrorCode::kUnsupported}, [&] {
    if (end != bytes.end()) {
      fuzz_json_and_tensors({bytes.begin(), end}, {end + 1, bytes.end()});
    } else if (!bytes.empty()) {
      fuzz_raw(bytes);
    }
  });
  return 0;
}
