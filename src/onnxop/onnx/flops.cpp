#include "onnxop/onnx/flops.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <onnx/onnx_pb.h>

#include "onnxop/onnx/judge.h"
#include "onnxop/onnx/walk.h"

namespace onnxop {
namespace {

using Sizes = std::vector<std::int64_t>;  // -1: not known

enum class Work { kConv, kConvTranspose, kGemm, kMatMul };

/// Where an operator's two factors are among its inputs.
struct WorkKind {
  Work work;
  int left = 0;
  int right = 1;
};

const std::unordered_map<std::string_view, WorkKind>& work_kinds() {
  static const std::unordered_map<std::string_view, WorkKind> kinds{
      {"Conv", {Work::kConv}},
      {"ConvInteger", {Work::kConv}},
      {"FusedConv", {Work::kConv}},
      {"QLinearConv", {Work::kConv, 0, 3}},
      {"ConvTranspose", {Work::kConvTranspose}},
      {"Gemm", {Work::kGemm}},
      {"FusedGemm", {Work::kGemm}},
      {"QGemm", {Work::kGemm, 0, 3}},
      {"MatMul", {Work::kMatMul}},
      {"FusedMatMul", {Work::kMatMul}},
      {"MatMulInteger", {Work::kMatMul}},
      {"DynamicQuantizeMatMul", {Work::kMatMul}},
      {"MatMulIntegerToFloat", {Work::kMatMul}},
      {"QLinearMatMul", {Work::kMatMul, 0, 3}}};
  return kinds;
}

/// The shapes of all values by name: what a graph's declarations, inference and initializers say.
class Shapes {
 public:
  void add(const onnx::GraphProto& graph) {
    for (const auto& tensor : graph.initializer()) {
      by_name_[tensor.name()] = Sizes(tensor.dims().begin(), tensor.dims().end());
    }
    for (const auto* list : {&graph.input(), &graph.output(), &graph.value_info()}) {
      for (const auto& value : *list) {
        add_value(value);
      }
    }
  }

  /// Null where it is not known.
  const Sizes* find(const std::string& name) const {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : &at->second;
  }

 private:
  void add_value(const onnx::ValueInfoProto& value) {
    if (!value.type().tensor_type().has_shape()) {
      return;
    }
    Sizes sizes;
    for (const auto& dim : value.type().tensor_type().shape().dim()) {
      sizes.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
    }
    by_name_.try_emplace(value.name(), std::move(sizes));
  }

  std::unordered_map<std::string, Sizes> by_name_;
};

std::optional<double> product(const Sizes& sizes, std::size_t from = 0) {
  double result = 1;
  for (std::size_t i = from; i < sizes.size(); ++i) {
    if (sizes[i] < 0) {
      return std::nullopt;
    }
    result *= static_cast<double>(sizes[i]);
  }
  return result;
}

bool has_flag(const onnx::NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) {
      return attribute.i() != 0;
    }
  }
  return false;
}

/// Elements of `each` times the multiply-adds for one.
std::optional<double> twice(std::optional<double> each, std::optional<double> inner) {
  if (!each || !inner) {
    return std::nullopt;
  }
  return 2 * *each * *inner;
}

std::optional<double> known_size(const Sizes& sizes, std::size_t index) {
  return index < sizes.size() && sizes[index] >= 0
             ? std::optional(static_cast<double>(sizes[index]))
             : std::nullopt;
}

std::optional<double> node_flops(const onnx::NodeProto& node, const WorkKind& kind,
                                 const Shapes& shapes) {
  if (node.input_size() <= kind.right || node.output().empty()) {
    return std::nullopt;
  }
  const Sizes* left = shapes.find(node.input(kind.left));
  const Sizes* right = shapes.find(node.input(kind.right));
  const Sizes* out = shapes.find(node.output(0));
  switch (kind.work) {
    case Work::kConv:  // weights [M, C / group, k...]
      return out && right ? twice(product(*out), product(*right, 1)) : std::nullopt;
    case Work::kConvTranspose:  // weights [C, M / group, k...]
      return left && right ? twice(product(*left), product(*right, 1)) : std::nullopt;
    case Work::kGemm:
      return out && left ? twice(product(*out), known_size(*left, has_flag(node, "transA") ? 0 : 1))
                         : std::nullopt;
    case Work::kMatMul: {
      if (!out || !left || left->empty()) {
        return std::nullopt;
      }
      const bool transposed = has_flag(node, "transA") && left->size() > 1;
      return twice(product(*out), known_size(*left, left->size() - (transposed ? 2 : 1)));
    }
  }
  return std::nullopt;
}

/// Sets the batch of the graph's inputs to one where it is free; gives the fixed one otherwise. The
/// batch is the first dimension of the first input.
double settle_batch(onnx::ModelProto& model) {
  auto& graph = *model.mutable_graph();
  if (graph.input().empty() || graph.input(0).type().tensor_type().shape().dim_size() < 2) {
    return 1;
  }
  const auto first = graph.input(0).type().tensor_type().shape().dim(0);
  if (first.has_dim_value()) {
    return first.dim_value() > 1 ? static_cast<double>(first.dim_value()) : 1;
  }
  for (auto* list : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()}) {
    for (auto& value : *list) {
      auto& tensor = *value.mutable_type()->mutable_tensor_type();
      if (!tensor.has_shape()) {
        continue;
      }
      for (int i = 0; i < tensor.shape().dim_size(); ++i) {
        auto& dim = *tensor.mutable_shape()->mutable_dim(i);
        const bool same_symbol =
            dim.has_dim_param() && !dim.dim_param().empty() && dim.dim_param() == first.dim_param();
        const bool unnamed_batch = i == 0 && !dim.has_dim_value() && list == graph.mutable_input();
        if (same_symbol || unnamed_batch) {
          dim.set_dim_value(1);
        }
      }
    }
  }
  return 1;
}

}  // namespace

std::optional<double> flops_per_sample(onnx::ModelProto& model) {
  const double batch = settle_batch(model);
  infer_what_is_possible(model);
  Shapes shapes;
  for_each_graph(model.graph(), [&](const onnx::GraphProto& graph) { shapes.add(graph); });
  double total = 0;
  bool known = true;
  for_each_graph(model.graph(), [&](const onnx::GraphProto& graph) {
    for (const auto& node : graph.node()) {
      const auto kind = work_kinds().find(node.op_type());
      if (kind == work_kinds().end()) {
        continue;
      }
      const auto flops = node_flops(node, kind->second, shapes);
      known = known && flops.has_value();
      total += flops.value_or(0);
    }
  });
  return known ? std::optional(total / batch) : std::nullopt;
}

}  // namespace onnxop
