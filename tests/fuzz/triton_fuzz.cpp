// The text of a config.pbtxt.

#include "fuzz/fuzz.h"
#include "onnxop/triton/triton_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onnxop;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::allow({ErrorCode::kInvalidArgument}, [&] {
    const TritonConfig config = read_triton_config(text);
    for (const TritonRemark& remark : config.remarks) {
      fuzz::require(remark.line > 0 && !remark.path.empty());
    }
  });
  return 0;
}
