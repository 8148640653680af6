#include "onnxop/onnx/scalar_rank.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <onnx/onnx_pb.h>

#include "onnxop/base/format.h"
#include "onnxop/onnx/proto_constants.h"

namespace onnxop {
namespace {

// Not Pow, Max and Min: with a constant that it takes as one number, the engine has other code,
// which rounds otherwise, and takes another zero of two.
constexpr std::array kScaling{"Add", "Div", "Mul", "Sub"};

// Of fewer dimensions there is too little to gain.
constexpr std::size_t kLeastRank = 3;

bool is_one_element(const BatchValue& value) {
  return value.is_constant() && value.dims && known_product(*value.dims, 0, value.rank()) == 1;
}

/// Whether the engine takes steps of one element: all dimensions that both have are 1.
bool is_slow(const BatchValue& constant, const BatchValue& tensor) {
  const std::size_t common = std::max<std::size_t>(constant.rank(), 1);
  return tensor.rank() >= kLeastRank && tensor.rank() > common &&
         known_product(*tensor.dims, tensor.rank() - common, tensor.rank()) == 1;
}

using Constants = std::map<std::string, const onnx::TensorProto*>;

Constants constants_of(const onnx::GraphProto& graph) {
  Constants constants;
  for (const auto& tensor : graph.initializer()) {
    constants[tensor.name()] = &tensor;
  }
  for (const auto& node : graph.node()) {
    const bool holds_tensor = is_constant_node(node) && node.attribute_size() == 1 &&
                              node.attribute(0).name() == "value" && node.attribute(0).has_t();
    if (holds_tensor) {
      constants[node.output(0)] = &node.attribute(0).t();
    }
  }
  return constants;
}

onnx::TensorProto widened(const onnx::TensorProto& tensor, std::size_t rank, std::string name) {
  onnx::TensorProto copy = tensor;
  copy.set_name(std::move(name));
  copy.clear_dims();
  for (std::size_t i = 0; i < rank; ++i) {
    copy.add_dims(1);
  }
  return copy;
}

}  // namespace

ScaledInputs::ScaledInputs(const BatchGraph& graph) {
  for (const BatchInput& input : graph.inputs) {
    scaled_.insert(input.name);
  }
}

void ScaledInputs::take(const BatchNode& node, std::size_t index,
                        const std::vector<const BatchValue*>& inputs) {
  const GraphNode& from = node.node;
  const bool is_plain = node.domain.empty() && node.oddity.empty() && from.outputs.size() == 1;
  const auto is_scaled = [&](std::size_t at) {
    return inputs[at] != nullptr && inputs[at]->is_batched() && scaled_.contains(from.inputs[at]);
  };
  if (is_plain && from.op_type == "Cast" && inputs.size() == 1 && is_scaled(0)) {
    scaled_.insert(from.outputs[0]);
  }
  const bool may_scale =
      is_plain && inputs.size() == 2 &&
      std::find(kScaling.begin(), kScaling.end(), from.op_type) != kScaling.end();
  for (std::size_t at = 0; may_scale && at < 2; ++at) {
    if (inputs[at] == nullptr || !is_one_element(*inputs[at]) || !is_scaled(1 - at)) {
      continue;
    }
    const BatchValue& tensor = *inputs[1 - at];
    if (inputs[at]->rank() <= tensor.rank()) {
      scaled_.insert(from.outputs[0]);
    }
    if (is_slow(*inputs[at], tensor)) {
      slow_.push_back({index, at, tensor.rank()});
    }
  }
}

std::size_t widen_scalars(onnx::ModelProto& model, const std::vector<SlowScalar>& scalars,
                          std::set<std::string>& given_up) {
  if (scalars.empty()) {
    return 0;
  }
  onnx::GraphProto& graph = *model.mutable_graph();
  UnusedNames names(value_names(graph));
  const Constants constants = constants_of(graph);
  std::map<std::pair<std::string, std::size_t>, std::string> made;  // by name and rank
  std::vector<onnx::TensorProto> tensors;  // adding them one by one would move those that are found
  for (const SlowScalar& scalar : scalars) {
    std::string& input = *graph.mutable_node(static_cast<int>(scalar.node))
                              ->mutable_input(static_cast<int>(scalar.input));
    const auto found = constants.find(input);
    if (found == constants.end()) {
      continue;
    }
    std::string& name = made[{input, scalar.rank}];
    if (name.empty()) {
      name = names.take(format("{}_of_rank_{}", input, scalar.rank));
      tensors.push_back(widened(*found->second, scalar.rank, name));
    }
    given_up.insert(input);
    input = name;
  }
  for (onnx::TensorProto& each : tensors) {
    add_constant(model, std::move(each));
  }
  return tensors.size();
}

}  // namespace onnxop
