#include "onnxop/tensor/dtype.h"

#include <array>

namespace onnxop {
namespace {

struct DTypeFacts {
  std::string_view name;
  std::size_t size;
};

constexpr std::array<DTypeFacts, 17> kFacts{{{"undefined", 0},
                                             {"float32", 4},
                                             {"uint8", 1},
                                             {"int8", 1},
                                             {"uint16", 2},
                                             {"int16", 2},
                                             {"int32", 4},
                                             {"int64", 8},
                                             {"string", 0},
                                             {"bool", 1},
                                             {"float16", 2},
                                             {"float64", 8},
                                             {"uint32", 4},
                                             {"uint64", 8},
                                             {"complex64", 8},
                                             {"complex128", 16},
                                             {"bfloat16", 2}}};

const DTypeFacts& facts(DType dtype) {
  const auto index = static_cast<std::size_t>(dtype);
  return kFacts[index < kFacts.size() ? index : 0];
}

}  // namespace

std::size_t dtype_size(DType dtype) {
  return facts(dtype).size;
}

std::string_view dtype_name(DType dtype) {
  return facts(dtype).name;
}

}  // namespace onnxop
