#include "onnxop/onnx/scalar_rank.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <onnx/onnx_pb.h>

#include "onnxop/onnx/proto_constants.h"

namespace onnxop {
namespace {

// With two operands, each broadcast to the other.
constexpr std::array kBroadcasting{"Add",  "Div",         "Equal", "Greater", "GreaterOrEqual",
                                   "Less", "LessOrEqual", "Max",   "Min",     "Mul",
                                   "Pow",  "Sub"};

/// Whether the engine takes a step of one element: all dimensions that both have are 1.
bool is_slow(const BatchValue& constant, const BatchValue& tensor) {
  if (!constant.dims || known_product(*constant.dims, 0, constant.rank()) != 1) {
    return false;
  }
  const std::size_t common = std::max<std::size_t>(constant.rank(), 1);
  return tensor.rank() > common &&
         known_product(*tensor.dims, tensor.rank() - common, tensor.rank()) == 1;
}

using Constants = std::map<std::string, const onnx::TensorProto*>;

Constants constants_of(const onnx::GraphProto& graph) {
  Constants constants;
  for (const auto& tensor : graph.initializer()) {
    constants[tensor.name()] = &tensor;
  }
  for (const auto& node : graph.node()) {
    const bool holds_tensor = node.op_type() == "Constant" && node.output_size() == 1 &&
                              node.attribute_size() == 1 && node.attribute(0).has_t();
    if (holds_tensor) {
      constants[node.output(0)] = &node.attribute(0).t();
    }
  }
  return constants;
}

}  // namespace

std::optional<SlowScalar> slow_scalar(const BatchNode& node, std::size_t index,
                                      const std::vector<const BatchValue*>& inputs) {
  const std::string& op = node.node.op_type;
  if (!node.domain.empty() || !node.oddity.empty() || inputs.size() != 2 || inputs[0] == nullptr ||
      inputs[1] == nullptr ||
      std::find(kBroadcasting.begin(), kBroadcasting.end(), op) == kBroadcasting.end()) {
    return std::nullopt;
  }
  for (const std::size_t at : {0U, 1U}) {
    const BatchValue& tensor = *inputs[1 - at];
    if (inputs[at]->is_constant() && tensor.is_batched() && is_slow(*inputs[at], tensor)) {
      return SlowScalar{index, at, tensor.rank()};
    }
  }
  return std::nullopt;
}

std::size_t widen_scalars(onnx::ModelProto& model, const std::vector<SlowScalar>& scalars,
                          std::set<std::string>& given_up) {
  if (scalars.empty()) {
    return 0;
  }
  onnx::GraphProto& graph = *model.mutable_graph();
  std::set<std::string> names = value_names(graph);
  std::vector<onnx::TensorProto> made;  // adding them one by one would move those that are found
  const Constants constants = constants_of(graph);
  for (const SlowScalar& scalar : scalars) {
    std::string& input = *graph.mutable_node(static_cast<int>(scalar.node))
                              ->mutable_input(static_cast<int>(scalar.input));
    const auto found = constants.find(input);
    if (found == constants.end()) {
      continue;
    }
    onnx::TensorProto tensor = *found->second;
    tensor.clear_dims();
    for (std::size_t i = 0; i < scalar.rank; ++i) {
      tensor.add_dims(1);
    }
    given_up.insert(input);
    input = unused_name(input + "_of_rank_" + std::to_string(scalar.rank), names);
    names.insert(input);
    tensor.set_name(input);
    made.push_back(std::move(tensor));
  }
  for (onnx::TensorProto& each : made) {
    add_constant(model, std::move(each));
  }
  return made.size();
}

}  // namespace onnxop
