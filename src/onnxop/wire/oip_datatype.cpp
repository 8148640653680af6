#include "onnxop/wire/oip_datatype.h"

#include <array>
#include <utility>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::array<std::pair<DType, std::string_view>, 14> kNames{{{DType::kBool, "BOOL"},
                                                                     {DType::kUint8, "UINT8"},
                                                                     {DType::kUint16, "UINT16"},
                                                                     {DType::kUint32, "UINT32"},
                                                                     {DType::kUint64, "UINT64"},
                                                                     {DType::kInt8, "INT8"},
                                                                     {DType::kInt16, "INT16"},
                                                                     {DType::kInt32, "INT32"},
                                                                     {DType::kInt64, "INT64"},
                                                                     {DType::kFloat16, "FP16"},
                                                                     {DType::kFloat32, "FP32"},
                                                                     {DType::kFloat64, "FP64"},
                                                                     {DType::kString, "BYTES"},
                                                                     {DType::kBfloat16, "BF16"}}};

}  // namespace

std::string_view oip_datatype(DType dtype) {
  for (const auto& [type, name] : kNames) {
    if (type == dtype) {
      return name;
    }
  }
  return {};
}

DType dtype_of_oip(std::string_view name) {
  for (const auto& [type, known] : kNames) {
    if (known == name) {
      return type;
    }
  }
  return DType::kUndefined;
}

std::string_view oip_datatypes() {
  return "BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64, BYTES, "
         "BF16";
}

std::string_view sendable_datatype(std::string_view output, DType dtype) {
  const std::string_view name = oip_datatype(dtype);
  if (name.empty()) {
    fail(ErrorCode::kUnsupported,
         "output '{}' is {}, which the protocol has no name for: ask for other outputs", output,
         dtype_name(dtype));
  }
  return name;
}

}  // namespace onnxop
