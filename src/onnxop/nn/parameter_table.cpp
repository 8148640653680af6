#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/nn/operator.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {
namespace {

ParameterSlot add_slot(const GraphInitializer& initializer, std::vector<ParameterInfo>& infos,
                       std::vector<float>& values) {
  const auto from = initializer.tensor.values<float>();
  const auto same = [&](const ParameterInfo& info) { return info.name == initializer.name; };
  if (std::any_of(infos.begin(), infos.end(), same)) {
    fail(ErrorCode::kUnsupported, "initializer '{}' is shared by several nodes", initializer.name);
  }
  const ParameterSlot slot{.offset = static_cast<std::int64_t>(values.size()),
                           .size = initializer.tensor.size()};
  infos.push_back({initializer.name, initializer.tensor.shape(), slot.offset, slot.size});
  values.insert(values.end(), from.begin(), from.end());
  return slot;
}

}  // namespace

ParameterSlot ParameterTable::add(const GraphInitializer& initializer, std::int64_t gradient_size) {
  constexpr std::int64_t kAlign = 16;  // a cache line
  ParameterSlot slot = add_slot(initializer, parameters, values);
  slot.gradient_offset = gradient_elements;
  slot.gradient_size = gradient_size;
  gradient_elements += (gradient_size + kAlign - 1) / kAlign * kAlign;
  return slot;
}

ParameterSlot ParameterTable::add_state(const GraphInitializer& initializer) {
  return add_slot(initializer, states, state_values);
}

}  // namespace onnxop
