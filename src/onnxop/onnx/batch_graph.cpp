#include "onnxop/onnx/batch_graph.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <set>
#include <span>
#include <utility>

#include <onnx/onnx_pb.h>

#include "onnxop/base/format.h"
#include "onnxop/onnx/proto_file.h"
#include "onnxop/onnx/walk.h"

namespace onnxop {
namespace {

// Shapes have few numbers; larger tensors are weights.
constexpr std::int64_t kMostNumbers = 64;

template <typename T>
ShapeNumber number_of(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    const bool whole = std::trunc(value) == value && std::abs(value) < 1e9;
    return whole ? ShapeNumber::known(static_cast<std::int64_t>(value)) : ShapeNumber::other();
  } else {
    return ShapeNumber::known(static_cast<std::int64_t>(value));
  }
}

bool may_be_numbers(const Shape& shape) {
  return shape.size() <= 1 && (shape.empty() || shape[0] <= kMostNumbers);
}

template <typename List>
BatchValue value_of(Shape shape, const List& list) {
  std::vector<ShapeNumber> numbers;
  numbers.reserve(static_cast<std::size_t>(list.size()));
  for (const auto each : list) {
    numbers.push_back(number_of(each));
  }
  const std::size_t expected = shape.empty() ? 1 : static_cast<std::size_t>(shape[0]);
  if (numbers.size() != expected) {
    return BatchValue::constant(std::move(shape));  // malformed; its numbers are not looked at
  }
  BatchValue value = BatchValue::of_numbers(std::move(numbers), shape.empty());
  value.fractions = std::is_floating_point_v<typename List::value_type>;
  return value;
}

template <typename T>
BatchValue value_of_raw(Shape shape, std::span<const std::byte> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) {
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  }
  return value_of(std::move(shape), values);
}

BatchValue constant_of(DType dtype, Shape shape, std::span<const std::byte> bytes) {
  if (may_be_numbers(shape)) {
    switch (dtype) {
      case DType::kInt64:
        return value_of_raw<std::int64_t>(std::move(shape), bytes);
      case DType::kInt32:
        return value_of_raw<std::int32_t>(std::move(shape), bytes);
      case DType::kBool:
        return value_of_raw<std::uint8_t>(std::move(shape), bytes);
      case DType::kFloat32:
        return value_of_raw<float>(std::move(shape), bytes);
      default:
        break;
    }
  }
  return BatchValue::constant(std::move(shape));
}

/// Data of a proto that is not in raw_data.
BatchValue constant_of_lists(const onnx::TensorProto& tensor, Shape shape) {
  if (may_be_numbers(shape)) {
    switch (tensor.data_type()) {
      case onnx::TensorProto::INT64:
        return value_of(std::move(shape), tensor.int64_data());
      case onnx::TensorProto::INT32:
      case onnx::TensorProto::BOOL:
        return value_of(std::move(shape), tensor.int32_data());
      case onnx::TensorProto::FLOAT:
        return value_of(std::move(shape), tensor.float_data());
      default:
        break;
    }
  }
  return BatchValue::constant(std::move(shape));
}

BatchValue constant_of(const onnx::TensorProto& tensor) {
  Shape shape(tensor.dims().begin(), tensor.dims().end());
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    return BatchValue::constant(std::move(shape));
  }
  if (!tensor.has_raw_data()) {
    return constant_of_lists(tensor, std::move(shape));
  }
  return constant_of(static_cast<DType>(tensor.data_type()), std::move(shape),
                     std::as_bytes(std::span(tensor.raw_data())));
}

/// None for a kind that has no value here.
std::optional<BatchValue> constant_of(const onnx::AttributeProto& attribute) {
  const std::string& name = attribute.name();
  if (name == "value" && attribute.has_t()) {
    return constant_of(attribute.t());
  }
  if (name == "value_int") {
    return BatchValue::of_numbers({ShapeNumber::known(attribute.i())}, true);
  }
  if (name == "value_ints") {
    return value_of({attribute.ints_size()}, attribute.ints());
  }
  if (name == "value_float") {
    return BatchValue::constant(Shape{});
  }
  if (name == "value_floats") {
    return value_of({attribute.floats_size()}, attribute.floats());
  }
  if (name == "value_string") {
    return BatchValue::constant(Shape{});
  }
  if (name == "value_strings") {
    return BatchValue::constant(Shape{attribute.strings_size()});
  }
  return std::nullopt;
}

std::optional<AttributeValue> attribute_value(const onnx::AttributeProto& attribute) {
  switch (attribute.type()) {
    case onnx::AttributeProto::INT:
      return attribute.i();
    case onnx::AttributeProto::FLOAT:
      return attribute.f();
    case onnx::AttributeProto::STRING:
      return attribute.s();
    case onnx::AttributeProto::INTS:
      return std::vector<std::int64_t>(attribute.ints().begin(), attribute.ints().end());
    case onnx::AttributeProto::FLOATS:
      return std::vector<float>(attribute.floats().begin(), attribute.floats().end());
    default:
      return std::nullopt;
  }
}

std::string domain_of(const std::string& domain) {
  return domain == domain_name("") ? "" : domain;
}

BatchNode batch_node(const onnx::NodeProto& from,
                     const std::set<std::pair<std::string, std::string>>& functions) {
  BatchNode made;
  made.domain = domain_of(from.domain());
  made.title = node_title(from);
  if (functions.contains({made.domain, from.op_type()})) {
    made.oddity = "the model defines this operator itself";
  }
  made.node.op_type = from.op_type();
  made.node.name = from.name();
  made.node.inputs.assign(from.input().begin(), from.input().end());
  made.node.outputs.assign(from.output().begin(), from.output().end());
  for (const auto& attribute : from.attribute()) {
    if (attribute.has_g() || !attribute.graphs().empty()) {
      made.oddity = "it has a graph of its own, which is not looked into";
    } else if (attribute.type() == onnx::AttributeProto::UNDEFINED) {
      made.oddity = format("its attribute '{}' has no type", attribute.name());
    }
    if (auto value = attribute_value(attribute)) {
      if (!made.node.attributes.emplace(attribute.name(), std::move(*value)).second) {
        made.oddity = format("it has two attributes '{}'", attribute.name());
      }
    }
    if (from.op_type() == "Constant" && !made.constant) {
      made.constant = constant_of(attribute);
    }
  }
  return made;
}

std::vector<BatchInput> declared(
    const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>& values,
    const std::map<std::string, BatchValue>& without) {
  std::vector<BatchInput> list;
  for (const auto& value : values) {
    if (without.contains(value.name())) {
      continue;
    }
    BatchInput input{.name = value.name(), .dims = std::nullopt};
    if (value.type().has_tensor_type() && value.type().tensor_type().has_shape()) {
      input.dims.emplace();
      for (const auto& dim : value.type().tensor_type().shape().dim()) {
        input.dims->push_back({dim.has_dim_value() ? dim.dim_value() : -1, dim.dim_param()});
      }
    }
    list.push_back(std::move(input));
  }
  return list;
}

/// A Constant of this program's own graphs has no tensor.
std::optional<BatchValue> constant_of(const GraphNode& node) {
  for (const auto& [name, value] : node.attributes) {
    if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&value)) {
      return value_of({static_cast<std::int64_t>(ints->size())}, *ints);
    }
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      return BatchValue::of_numbers({ShapeNumber::known(*integer)}, true);
    }
    if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
      return value_of({static_cast<std::int64_t>(floats->size())}, *floats);
    }
    return BatchValue::constant(Shape{});
  }
  return std::nullopt;
}

}  // namespace

BatchGraph batch_graph(const Graph& graph, std::int64_t opset) {
  BatchGraph result;
  result.opset = opset;
  for (const GraphNode& node : graph.nodes) {
    BatchNode made;
    made.node = node;
    made.title = node.name.empty()
                     ? format("node making '{}' ({})", node.outputs.empty() ? "" : node.outputs[0],
                              node.op_type)
                     : format("node '{}' ({})", node.name, node.op_type);
    if (node.op_type == "Constant") {
      made.constant = constant_of(node);
    }
    result.nodes.push_back(std::move(made));
  }
  for (const GraphInitializer& each : graph.initializers) {
    result.constants.insert_or_assign(
        each.name, constant_of(each.tensor.dtype(), each.tensor.shape(), each.tensor.bytes()));
  }
  for (const GraphValue& value : graph.inputs) {
    if (!result.constants.contains(value.name)) {
      result.inputs.push_back({value.name, value.shape});
    }
  }
  for (const GraphValue& value : graph.outputs) {
    result.outputs.push_back({value.name, value.shape});
  }
  return result;
}

BatchGraph batch_graph(const onnx::ModelProto& model) {
  BatchGraph result;
  for (const auto& opset : model.opset_import()) {
    if (domain_of(opset.domain()).empty()) {
      result.opset = opset.version();
    }
  }
  std::set<std::pair<std::string, std::string>> functions;
  for (const auto& function : model.functions()) {
    functions.emplace(domain_of(function.domain()), function.name());
  }
  for (const auto& node : model.graph().node()) {
    result.nodes.push_back(batch_node(node, functions));
  }
  for (const auto& tensor : model.graph().initializer()) {
    result.constants.insert_or_assign(tensor.name(), constant_of(tensor));
  }
  for (const auto& sparse : model.graph().sparse_initializer()) {
    result.constants.insert_or_assign(
        sparse.values().name(),
        BatchValue::constant(Shape(sparse.dims().begin(), sparse.dims().end())));
  }
  result.inputs = declared(model.graph().input(), result.constants);
  result.outputs = declared(model.graph().output(), {});
  return result;
}

}  // namespace onnxop
