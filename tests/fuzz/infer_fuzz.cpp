// The JSON of an inference request.

#include "fuzz/fuzz.h"
#include "fuzz/tensors.h"
#include "onnxop/wire/oip_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onnxop;
  const auto bytes = fuzz::bytes_of(data, size);
  Bytes body(bytes.begin(), bytes.end());
  InferLimits limits;
  limits.max_elements = 1U << 16;
  fuzz::allow({ErrorCode::kInvalidArgument, ErrorCode::kTooLarge, ErrorCode::kUnsupported}, [&] {
    fuzz::require_sound(parse_infer_request(body, std::nullopt, limits), limits);
  });
  return 0;
}
