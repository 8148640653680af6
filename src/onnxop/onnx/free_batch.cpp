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
#include "onnxop/onnx/proto_constants.h"
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

constexpr std::string_view kSymbol = "batch";
constexpr std::string_view kTargetSuffix = "_free_batch";
// A copy is held beside what the engine makes of it, and a large model's time is not its input's.
constexpr std::size_t kLargestWidened = std::size_t{64} << 20;  // bytes

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
  UnusedNames names(names_of(graph));
  std::set<std::string> given_up;
  for (const NewReshape& change : reshapes) {
    std::string& target = graph.nodes[change.node].inputs[1];
    given_up.insert(target);
    target = names.take(target + std::string(kTargetSuffix));
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

onnx::TensorProto target_tensor(const std::string& name, const std::vector<std::int64_t>& target) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<std::int64_t>(target.size()));
  tensor.mutable_int64_data()->Assign(target.begin(), target.end());
  return tensor;
}

void change_reshapes(onnx::ModelProto& model, const std::vector<NewReshape>& reshapes,
                     std::set<std::string>& given_up) {
  onnx::GraphProto& graph = *model.mutable_graph();
  UnusedNames names(value_names(graph));
  for (const NewReshape& change : reshapes) {
    std::string& target = *graph.mutable_node(static_cast<int>(change.node))->mutable_input(1);
    given_up.insert(target);
    target = names.take(target + std::string(kTargetSuffix));
    add_constant(model, target_tensor(target, change.target));
  }
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

/// `given_up` gets the names of constants that are not read here any more.
void free_rows(onnx::ModelProto& model, const BatchAnalysis& analysis,
               std::set<std::string>& given_up) {
  onnx::GraphProto& graph = *model.mutable_graph();
  const std::string symbol = UnusedNames(symbols_of(graph)).take(std::string(kSymbol));
  change_reshapes(model, analysis.reshapes, given_up);
  for (auto* values : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()}) {
    for (auto& value : *values) {
      if (const auto at = analysis.axes.find(value.name()); at != analysis.axes.end()) {
        free_dimension(value, at->second, symbol);
      }
    }
  }
}

}  // namespace

Model with_free_batch(Model model) {
  const BatchAnalysis analysis = proven_analysis(batch_graph(model.graph, model.opset),
                                                 format("model '{}'", model.graph.name));
  if (!analysis.fixed) {
    return model;
  }
  const std::string symbol = UnusedNames(symbols_of(model.graph)).take(std::string(kSymbol));
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
  if (!analysis.fixed) {
    return read_file(path);
  }
  std::set<std::string> given_up;
  free_rows(*model, analysis, given_up);
  drop_unread(*model, std::move(given_up));
  return bytes_of(*model, path.string());
}

ServingCopy serving_copy(const std::filesystem::path& path, bool batched) {
  const auto model = read_model_proto(path);
  BatchAnalysis analysis = analyse_batch(batch_graph(*model));
  ServingCopy copy;
  copy.freed = batched && analysis.problem.empty() && analysis.fixed.has_value();
  std::set<std::string> given_up;
  if (copy.freed) {
    free_rows(*model, analysis, given_up);
  }
  if (copy.freed || model->ByteSizeLong() <= kLargestWidened) {
    copy.widened = widen_scalars(*model, analysis.slow_scalars, given_up);
  }
  if (copy.freed || copy.widened > 0) {
    drop_unread(*model, std::move(given_up));
    copy.content = bytes_of(*model, path.string());
  }
  copy.batch = batch_dimension_of(std::move(analysis));
  return copy;
}

}  // namespace onnxop
