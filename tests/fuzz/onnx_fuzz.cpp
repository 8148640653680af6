// An ONNX file: read, judged by its structure, searched for its batch dimension, rewritten. What
// libonnx says of it, in a child process, costs a thousand times more, and is asked of some only.

#include <functional>
#include <string_view>

#include <onnx/onnx_pb.h>

#include "fuzz/fuzz.h"
#include "onnxop/onnx/batch_dimension.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/onnx/proto_file.h"
#include "onnxop/onnx/structure.h"

namespace onnxop {
namespace {

void fuzz_onnx(std::span<const std::byte> bytes) {
  static fuzz::InputFile file;
  const std::filesystem::path& path = file.write(bytes);
  fuzz::allow({ErrorCode::kInvalidArgument},
              [&] { with_contract(Bytes(bytes.begin(), bytes.end()), Contract()); });

  const auto model = read_model_proto(path);
  const bool sound = structural_problems(*model, path.parent_path()).empty();
  fuzz::allow({ErrorCode::kInvalidArgument}, [&] { read_contract(path); });
  const BatchDimension batch = find_batch_dimension(path);
  fuzz::require(batch.proven == batch.reason.empty());
  if (batch.proven) {
    const std::filesystem::path rewritten = file.write(with_free_batch(path));
    const BatchDimension again = find_batch_dimension(rewritten);
    fuzz::require(!sound || (again.proven && !again.fixed));
  }
  const ServingCopy copy = serving_copy(file.write(bytes));
  if (!copy.content.empty()) {
    const ServingCopy again = serving_copy(file.write(copy.content));
    fuzz::require(!sound || (again.content.empty() && again.batch.proven == batch.proven));
  }
  constexpr std::size_t kOneOf = 256;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (std::hash<std::string_view>()(text) % kOneOf == 0) {
    describe_model(file.write(bytes));
  }
}

}  // namespace
}  // namespace onnxop

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using onnxop::ErrorCode;
  onnxop::fuzz::allow({ErrorCode::kInvalidArgument},
                      [&] { onnxop::fuzz_onnx(onnxop::fuzz::bytes_of(data, size)); });
  return 0;
}
