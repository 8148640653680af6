// Makes a fixed number of rows free.

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include <onnx/onnx_pb.h>

#include "onnxop/base/error.h"
#include "onnxop/onnx/batch_analysis.h"
#include "onnxop/onnx/batch_dimension.h"
#include "onnxop/onnx/proto_file.h"

namespace onnxop {
namespace {

BatchAnalysis proven_analysis(const BatchGraph& graph, const std::string& what) {
  BatchAnalysis analysis = analyse_batch(graph);
  if (!analysis.problem.empty()) {
    fail(ErrorCode::kUnsupported, "{}: its batch dimension cannot be proven free: {}", what,
         analysis.problem);
  }
  return analysis;
}

/// `wish`, or the first of wish_2, wish_3, … that is not taken.
std::string unused_name(const std::string& wish, const std::set<std::string>& taken) {
  std::string name = wish;
  for (int i = 2; taken.contains(name); ++i) {
    name = format("{}_{}", wish, i);
  }
  return name;
}

constexpr std::string_view kSymbol = "batch";
constexpr std::string_view kTargetSuffix = "_free_batch";

// ------------------------------------------------------------------ this program's own graphs

std::set<std::string> names_of(const Graph& graph) {
  std::set<std::string> names;
  for (const GraphNode& node : graph.nodes) {
    names.insert(node.inputs.begin(), node.inputs.end());
    names.insert(node.outputs.begin(), node.outputs.end());
  }
  for (const GraphInitializer& each : graph.initializers) {
    names.insert(each.name);
  }
  return names;
}

std::set<std::string> symbols_of(const Graph& graph) {
  std::set<std::string> symbols;
  for (const auto* values : {&graph.inputs, &graph.outputs}) {
    for (const GraphValue& value : *values) {
      for (const GraphDim& dim : value.shape) {
        symbols.insert(dim.symbol);
      }
    }
  }
  return symbols;
}

void change_reshapes(Graph& graph, const std::vector<NewReshape>& reshapes) {
  std::set<std::string> names = names_of(graph);
  std::set<std::string> given_up;
  for (const NewReshape& change : reshapes) {
    std::string& target = graph.nodes[change.node].inputs[1];
    given_up.insert(target);
    target = unused_name(target + std::string(kTargetSuffix), names);
    names.insert(target);
    graph.initializers.push_back(
        {target,
         Tensor::of<std::int64_t>({static_cast<std::int64_t>(change.target.size())}, change.target),
         ""});
  }
  for (const GraphNode& node : graph.nodes) {
    for (const std::string& input : node.inputs) {
      given_up.erase(input);
    }
  }
  std::erase_if(graph.initializers,
                [&](const GraphInitializer& each) { return given_up.contains(each.name); });
}

// ------------------------------------------------------------------ models from files

std::set<std::string> names_of(const onnx::GraphProto& graph) {
  std::set<std::string> names;
  for (const auto& node : graph.node()) {
    names.insert(node.input().begin(), node.input().end());
    names.insert(node.output().begin(), node.output().end());
  }
  for (const auto& tensor : graph.initializer()) {
    names.insert(tensor.name());
  }
  for (const auto& value : graph.input()) {
    names.insert(value.name());
  }
  return names;
}

std::set<std::string> symbols_of(const onnx::GraphProto& graph) {
  std::set<std::string> symbols;
  for (const auto* values : {&graph.input(), &graph.output(), &graph.value_info()}) {
    for (const auto& value : *values) {
      for (const auto& dim : value.type().tensor_type().shape().dim()) {
        symbols.insert(dim.dim_param());
      }
    }
  }
  return symbols;
}

// Before this version of the format, initializers had to be inputs too.
constexpr std::int64_t kInitializersStandAlone = 4;

void add_target(onnx::ModelProto& model, const std::string& name,
                const std::vector<std::int64_t>& target) {
  const auto size = static_cast<std::int64_t>(target.size());
  onnx::TensorProto& tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(size);
  tensor.mutable_int64_data()->Assign(target.begin(), target.end());
  if (model.ir_version() < kInitializersStandAlone) {
    onnx::ValueInfoProto& input = *model.mutable_graph()->add_input();
    input.set_name(name);
    auto& type = *input.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::INT64);
    type.mutable_shape()->add_dim()->set_dim_value(size);
  }
}

void change_reshapes(onnx::ModelProto& model, const std::vector<NewReshape>& reshapes) {
  onnx::GraphProto& graph = *model.mutable_graph();
  std::set<std::string> names = names_of(graph);
  std::set<std::string> given_up;
  for (const NewReshape& change : reshapes) {
    std::string& target = *graph.mutable_node(static_cast<int>(change.node))->mutable_input(1);
    given_up.insert(target);
    target = unused_name(target + std::string(kTargetSuffix), names);
    names.insert(target);
    add_target(model, target, change.target);
  }
  for (const auto& node : graph.node()) {
    for (const std::string& input : node.input()) {
      given_up.erase(input);
    }
  }
  for (const auto& output : graph.output()) {
    given_up.erase(output.name());
  }
  const auto is_given_up = [&](const auto& each) { return given_up.contains(each.name()); };
  auto& tensors = *graph.mutable_initializer();
  tensors.erase(std::remove_if(tensors.begin(), tensors.end(), is_given_up), tensors.end());
  auto& inputs = *graph.mutable_input();
  inputs.erase(std::remove_if(inputs.begin(), inputs.end(), is_given_up), inputs.end());
}

void free_dimension(onnx::ValueInfoProto& value, std::size_t axis, const std::string& symbol) {
  if (!value.type().tensor_type().has_shape()) {
    return;
  }
  auto& shape = *value.mutable_type()->mutable_tensor_type()->mutable_shape();
  if (static_cast<int>(axis) < shape.dim_size()) {
    shape.mutable_dim(static_cast<int>(axis))->set_dim_param(symbol);
  }
}

Bytes bytes_of(const onnx::ModelProto& model, const std::string& what) {
  Bytes bytes(model.ByteSizeLong());
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !model.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail(ErrorCode::kTooLarge, "{}: {} bytes are more than an ONNX file may have", what,
         bytes.size());
  }
  return bytes;
}

/// The file's bytes after its number of rows is made free.
Bytes rewritten(onnx::ModelProto& model, const BatchAnalysis& analysis, const std::string& what) {
  onnx::GraphProto& graph = *model.mutable_graph();
  const std::string symbol = unused_name(std::string(kSymbol), symbols_of(graph));
  change_reshapes(model, analysis.reshapes);
  for (auto* values : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()}) {
    for (auto& value : *values) {
      if (const auto at = analysis.axes.find(value.name()); at != analysis.axes.end()) {
        free_dimension(value, at->second, symbol);
      }
    }
  }
  return bytes_of(model, what);
}

}  // namespace

Model with_free_batch(Model model) {
  const BatchAnalysis analysis = proven_analysis(batch_graph(model.graph, model.opset),
                                                 format("model '{}'", model.graph.name));
  if (!analysis.fixed) {
    return model;
  }
  const std::string symbol = unused_name(std::string(kSymbol), symbols_of(model.graph));
  change_reshapes(model.graph, analysis.reshapes);
  for (auto* values : {&model.graph.inputs, &model.graph.outputs}) {
    for (GraphValue& value : *values) {
      if (const auto at = analysis.axes.find(value.name);
          at != analysis.axes.end() && at->second < value.shape.size()) {
        value.shape[at->second] = {-1, symbol};
      }
    }
  }
  return model;
}

Bytes with_free_batch(const std::filesystem::path& path) {
  const auto model = read_model_proto(path);
  const BatchAnalysis analysis = proven_analysis(batch_graph(*model), path.string());
  return analysis.fixed ? rewritten(*model, analysis, path.string()) : read_file(path);
}

FreedFile free_batch_where_proven(const std::filesystem::path& path) {
  const auto model = read_model_proto(path);
  BatchAnalysis analysis = analyse_batch(batch_graph(*model));
  FreedFile result;
  if (analysis.problem.empty() && analysis.fixed) {
    result.rewritten = rewritten(*model, analysis, path.string());
  }
  result.batch = batch_dimension_of(std::move(analysis));
  return result;
}

}  // namespace onnxop
