#include "onnxop/score/scorer.h"

#include <algorithm>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

std::string names_of(const std::vector<TensorInfo>& declared) {
  std::vector<std::string_view> names;
  for (const TensorInfo& info : declared) {
    names.push_back(info.name);
  }
  return format("{}", join(names, ", "));
}

bool fits(const Shape& declared, const Shape& got) {
  return std::equal(declared.begin(), declared.end(), got.begin(), got.end(),
                    [](std::int64_t want, std::int64_t have) { return want < 0 || want == have; });
}

void check_input(const TensorInfo& declared, const Tensor& got) {
  if (got.dtype() != declared.dtype) {
    fail(ErrorCode::kInvalidArgument, "input '{}': got type {}, expected {}", declared.name,
         dtype_name(got.dtype()), dtype_name(declared.dtype));
  }
  if (!fits(declared.shape, got.shape())) {
    fail(ErrorCode::kInvalidArgument, "input '{}': got shape {}, expected {}", declared.name,
         shape_text(got.shape()), shape_text(declared.shape));
  }
}

}  // namespace

void check_inputs(const std::vector<TensorInfo>& declared, std::span<const NamedTensor> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = inputs[i].name;
    const auto info = std::find_if(declared.begin(), declared.end(),
                                   [&](const TensorInfo& each) { return each.name == name; });
    if (info == declared.end()) {
      fail(ErrorCode::kInvalidArgument, "input '{}': unknown, expected: {}", name,
           names_of(declared));
    }
    if (std::any_of(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const NamedTensor& before) { return before.name == name; })) {
      fail(ErrorCode::kInvalidArgument, "input '{}': given twice, expected once", name);
    }
    check_input(*info, inputs[i].tensor);
  }
  for (const TensorInfo& info : declared) {
    if (std::none_of(inputs.begin(), inputs.end(),
                     [&](const NamedTensor& each) { return each.name == info.name; })) {
      fail(ErrorCode::kInvalidArgument, "input '{}': missing, expected {} {}", info.name,
           dtype_name(info.dtype), shape_text(info.shape));
    }
  }
}

}  // namespace onnxop
