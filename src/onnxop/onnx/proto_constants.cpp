#include "onnxop/onnx/proto_constants.h"

#include <algorithm>
#include <utility>

#include <onnx/onnx_pb.h>

#include "onnxop/base/format.h"
#include "onnxop/onnx/proto_file.h"
#include "onnxop/onnx/walk.h"

namespace onnxop {
namespace {

// Before this version of the format, initializers had to be inputs too.
constexpr std::int64_t kInitializersStandAlone = 4;

}  // namespace

UnusedNames::UnusedNames(std::set<std::string> taken) : taken_(std::move(taken)) {}

std::string UnusedNames::take(const std::string& wish) {
  int& number = last_.try_emplace(wish, 0).first->second;
  std::string name;
  do {
    ++number;
    name = number == 1 ? wish : format("{}_{}", wish, number);
  } while (!taken_.insert(name).second);
  return name;
}

std::set<std::string> value_names(const onnx::GraphProto& graph) {
  std::set<std::string> names;
  for_each_graph(graph, [&](const onnx::GraphProto& each) {
    for (const auto& node : each.node()) {
      names.insert(node.input().begin(), node.input().end());
      names.insert(node.output().begin(), node.output().end());
    }
    for (const auto& tensor : each.initializer()) {
      names.insert(tensor.name());
    }
    for (const auto& sparse : each.sparse_initializer()) {
      names.insert(sparse.values().name());
    }
    for (const auto* values : {&each.input(), &each.output(), &each.value_info()}) {
      for (const auto& value : *values) {
        names.insert(value.name());
      }
    }
  });
  return names;
}

bool is_constant_node(const onnx::NodeProto& node) {
  return node.op_type() == "Constant" && domain_name(node.domain()) == domain_name("") &&
         node.output_size() == 1;
}

void add_constant(onnx::ModelProto& model, onnx::TensorProto tensor) {
  onnx::GraphProto& graph = *model.mutable_graph();
  if (model.ir_version() < kInitializersStandAlone) {
    onnx::ValueInfoProto& input = *graph.add_input();
    input.set_name(tensor.name());
    auto& type = *input.mutable_type()->mutable_tensor_type();
    type.set_elem_type(tensor.data_type());
    type.mutable_shape();
    for (const auto size : tensor.dims()) {
      type.mutable_shape()->add_dim()->set_dim_value(size);
    }
  }
  *graph.add_initializer() = std::move(tensor);
}

void drop_unread(onnx::ModelProto& model, std::set<std::string> names) {
  onnx::GraphProto& graph = *model.mutable_graph();
  for_each_graph(graph, [&](const onnx::GraphProto& each) {
    for (const auto& node : each.node()) {
      for (const std::string& input : node.input()) {
        names.erase(input);
      }
    }
    for (const auto& output : each.output()) {
      names.erase(output.name());
    }
  });
  const auto unread = [&](const auto& each) { return names.contains(each.name()); };
  auto& tensors = *graph.mutable_initializer();
  tensors.erase(std::remove_if(tensors.begin(), tensors.end(), unread), tensors.end());
  auto& inputs = *graph.mutable_input();
  inputs.erase(std::remove_if(inputs.begin(), inputs.end(), unread), inputs.end());
  auto& nodes = *graph.mutable_node();
  const auto unread_constant = [&](const onnx::NodeProto& node) {
    return is_constant_node(node) && names.contains(node.output(0));
  };
  nodes.erase(std::remove_if(nodes.begin(), nodes.end(), unread_constant), nodes.end());
}

}  // namespace onnxop
