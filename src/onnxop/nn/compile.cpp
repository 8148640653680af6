#include "onnxop/nn/compile.h"

#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/nn/batch_norm_operator.h"
#include "onnxop/nn/input_nodes.h"
#include "onnxop/nn/node_error.h"
#include "onnxop/nn/simple_operators.h"
#include "onnxop/nn/weighted_operator.h"

namespace onnxop {
namespace {

class Compiler {
 public:
  Compiler(const Graph& graph, const NetworkOptions& options, std::int64_t piece)
      : graph_(graph), options_(options), piece_(piece), input_(graph) {}

  CompiledGraph run() {
    value_ = graph_.inputs.front().name;
    for (position_ = 0; position_ < graph_.nodes.size(); ++position_) {
      const GraphNode& node = graph_.nodes[position_];
      check_chain(node);
      if (!input_made() && input_.take(node)) {
        value_ = node.outputs.at(0);
        continue;
      }
      try {
        add(node);
      } catch (const dnnl::error& error) {
        refuse(node, format("oneDNN does not do it: {}", error.what()));
      }
      value_ = graph_.nodes[position_].outputs.at(0);
    }
    finish();
    return std::move(compiled_);
  }

 private:
  /// Each node reads the value made just before it, which nobody else reads.
  void check_chain(const GraphNode& node) const {
    if (node.inputs.empty() || node.outputs.empty() || node.inputs[0] != value_) {
      refuse(node, format("reads '{}', expected '{}': only chains of nodes can be trained",
                          node.inputs.empty() ? std::string() : node.inputs[0], value_));
    }
    for (std::size_t later = position_ + 1; later < graph_.nodes.size(); ++later) {
      const auto& inputs = graph_.nodes[later].inputs;
      if (std::find(inputs.begin(), inputs.end(), value_) != inputs.end()) {
        refuse(graph_.nodes[later],
               format("reads '{}' beside '{}': only chains of nodes can be trained", value_,
                      node.name));
      }
    }
  }

  bool input_made() const { return compiled_.input.layout.samples > 0; }

  /// Where the operators begin.
  const Layout& current() {
    if (!compiled_.operators.empty()) {
      return compiled_.operators.back()->out();
    }
    if (!input_made()) {
      compiled_.input = input_.stage(piece_, options_.precision);
    }
    return compiled_.input.layout;
  }

  void add(const GraphNode& node) {
    const std::string& op = node.op_type;
    auto& operators = compiled_.operators;
    if (op == "Conv") {
      refuse_flattened(node);
      add_weighted(node, 2, [&](const WeightedNode& weighted) {
        return make_conv(weighted, current(), compiled_.parameters);
      });
    } else if (op == "Gemm") {
      add_gemm(node);
    } else if (op == "MatMul") {
      add_weighted(node, 99, [&](const WeightedNode& weighted) {
        return make_dense(weighted, current(), false, compiled_.parameters);
      });
    } else if (op == "BatchNormalization") {
      add_batch_norm(node);
    } else if (is_activation(op)) {
      operators.push_back(make_activation(node, current()));
    } else if (op == "MaxPool" || op == "AveragePool" || op == "GlobalAveragePool") {
      refuse_flattened(node);
      const bool after_relu =
          op == "MaxPool" && !operators.empty() && operators.back()->fused_relu();
      if (after_relu) {
        operators.back()->relu_gradient_done = true;
      }
      operators.push_back(make_pool(node, current(), after_relu));
    } else if (op == "Dropout") {
      operators.push_back(
          make_dropout(node, current(), dropout_rate(node), options_.seed, ++dropouts_));
    } else if (op == "Flatten") {
      if (node.attribute<std::int64_t>("axis", 1) != 1) {
        refuse(node, "axis is not 1");
      }
      current();
      flattened_ = node.name;
    } else if (op == "Reshape") {
      add_reshape(node);
    } else if (op == "Softmax" && position_ + 1 == graph_.nodes.size()) {
      const auto axis = node.attribute<std::int64_t>("axis", -1);
      if (axis != 1 && axis != -1) {
        refuse(node, format("axis is {}, expected 1 or -1", axis));
      }
      compiled_.loss.softmax = true;
    } else {
      refuse(node, op == "Softmax" ? "is only known as the last node" : "is not known to training");
    }
  }

  /// To [N, features], which is a Flatten.
  void add_reshape(const GraphNode& node) {
    const GraphInitializer* target =
        node.inputs.size() > 1 ? graph_.find_initializer(node.inputs[1]) : nullptr;
    if (target == nullptr || target->tensor.dtype() != DType::kInt64) {
      refuse(node, "its input 1 is no int64 initializer");
    }
    const Layout& in = current();
    const std::int64_t features = in.channels * in.height * in.width;
    const auto dims = target->tensor.values<std::int64_t>();
    const bool flat = dims.size() == 2 &&
                      ((dims[0] == 0 && dims[1] == -1) || (dims[0] <= 0 && dims[1] == features));
    if (!flat || node.attribute<std::int64_t>("allowzero", 0) != 0) {
      refuse(node, format("expected [0, -1], [0, {0}] or [-1, {0}]", features));
    }
    flattened_ = node.name;
  }

  void refuse_flattened(const GraphNode& node) const {
    if (!flattened_.empty()) {
      refuse(node, format("stands behind Flatten '{}'", flattened_));
    }
  }

  void add_gemm(const GraphNode& node) {
    if (node.attribute("alpha", 1.0F) != 1.0F || node.attribute("beta", 1.0F) != 1.0F ||
        node.attribute<std::int64_t>("transA", 0) != 0) {
      refuse(node, "alpha, beta and transA are not covered");
    }
    const bool out_first = node.attribute<std::int64_t>("transB", 0) != 0;
    add_weighted(node, 2, [&](const WeightedNode& weighted) {
      return make_dense(weighted, current(), out_first, compiled_.parameters);
    });
  }

  /// Takes in the bias (an input, or the Add behind MatMul) and the Relu that follow.
  template <typename Make>
  void add_weighted(const GraphNode& node, std::size_t bias_input, Make make) {
    if (node.op_type != "Conv" && current().image && flattened_.empty()) {
      refuse(node, "its input has four dimensions; Flatten is missing before it");
    }
    WeightedNode weighted{.node = &node,
                          .weights = &initializer(node, 1),
                          .data_gradient = !compiled_.parameters.parameters.empty()};
    if (node.inputs.size() > bias_input && !node.inputs[bias_input].empty()) {
      weighted.bias = &initializer(node, bias_input);
    } else if (const GraphNode* next = following("Add");
               next != nullptr && node.op_type == "MatMul") {
      ++position_;
      weighted.bias = &initializer(*next, 1);
    }
    if (following("Relu") != nullptr) {
      ++position_;
      weighted.relu = true;
    }
    auto made = make(weighted);
    if (weighted.bias != nullptr && weighted.bias->tensor.size() != made->out().channels) {
      refuse(node, format("its bias has shape {}, expected [{}]",
                          shape_text(weighted.bias->tensor.shape()), made->out().channels));
    }
    compiled_.operators.push_back(std::move(made));
    flattened_.clear();
  }

  const GraphNode* following(std::string_view op_type) const {
    const std::size_t next = position_ + 1;
    if (next >= graph_.nodes.size()) {
      return nullptr;
    }
    const GraphNode& node = graph_.nodes[next];
    const bool reads = !node.inputs.empty() && node.inputs[0] == graph_.nodes[position_].outputs[0];
    return reads && node.op_type == op_type ? &node : nullptr;
  }

  void add_batch_norm(const GraphNode& node) {
    if (!flattened_.empty() && current().image) {
      GraphNode flatten;
      flatten.op_type = "Flatten";
      flatten.name = flattened_;
      compiled_.operators.push_back(make_flatten(flatten, current()));
      flattened_.clear();
    }
    const BatchNormWeights weights{&initializer(node, 1), &initializer(node, 2),
                                   &initializer(node, 3), &initializer(node, 4)};
    for (const GraphInitializer* weight :
         {weights.scale, weights.bias, weights.mean, weights.variance}) {
      if (weight->tensor.size() != current().channels) {
        refuse(node, format("'{}' has shape {}, expected [{}]", weight->name,
                            shape_text(weight->tensor.shape()), current().channels));
      }
    }
    compiled_.operators.push_back(make_batch_norm(node, weights, current(), compiled_.parameters));
  }

  double dropout_rate(const GraphNode& node) const {
    if (node.inputs.size() < 2 || node.inputs[1].empty()) {
      return 0.5;
    }
    const Tensor& ratio = initializer(node, 1).tensor;
    if (ratio.size() != 1) {
      refuse(node,
             format("its ratio has shape {}, expected one number", shape_text(ratio.shape())));
    }
    const double rate = ratio.values<float>()[0];
    if (!(rate >= 0 && rate < 1)) {
      refuse(node, format("its ratio is {}, expected 0 or more and less than 1", rate));
    }
    return rate;
  }

  const GraphInitializer& initializer(const GraphNode& node, std::size_t input) const {
    return float_initializer(graph_, node, input);
  }

  void finish() {
    LossStage& loss = compiled_.loss;
    loss.kind = options_.loss;
    loss.layout = current();
    if (graph_.outputs[0].name != value_) {
      fail(ErrorCode::kUnsupported, "graph '{}': its output '{}' is not made by its last node",
           graph_.name, graph_.outputs[0].name);
    }
    const bool cross_entropy = options_.loss == LossKind::kCategoricalCrossentropy;
    const GraphNode* last = graph_.nodes.empty() ? nullptr : &graph_.nodes.back();
    if (last == nullptr || compiled_.parameters.parameters.empty()) {
      fail(ErrorCode::kUnsupported, "graph '{}' has nothing to train", graph_.name);
    }
    if (loss.softmax != cross_entropy) {
      refuse(*last, cross_entropy
                        ? "the last node is no Softmax, which categorical cross-entropy needs"
                        : "Softmax at the end does not go with mean squared error");
    }
    if (loss.layout.height * loss.layout.width != 1) {
      refuse(*last, "the output is an image, expected a vector");
    }
    const auto trains = [](const auto& op) {
      return op->weight_gradient_flops() > 0 || op->needs_whole_batch();
    };
    const auto first = std::find_if(compiled_.operators.begin(), compiled_.operators.end(), trains);
    compiled_.first_trainable = static_cast<std::size_t>(first - compiled_.operators.begin());
  }

  const Graph& graph_;
  const NetworkOptions& options_;
  std::int64_t piece_;
  InputNodes input_;
  CompiledGraph compiled_;
  std::size_t position_ = 0;
  std::string value_;
  std::string flattened_;  // a Flatten that nobody has acted on: the next dense layer takes images
                           // as they are
  std::uint32_t dropouts_ = 0;
};

}  // namespace

CompiledGraph compile_graph(const Graph& graph, const NetworkOptions& options, std::int64_t piece) {
  return Compiler(graph, options, piece).run();
}

std::int64_t choose_piece(const Graph& graph, const NetworkOptions& options) {
  constexpr std::int64_t kWorkingSet = 3 << 20;
  constexpr std::int64_t kGradients = 64 << 20;  // bytes of all pieces together
  const CompiledGraph one = compile_graph(graph, options, 1);
  std::int64_t largest = 1;
  for (const auto& op : one.operators) {
    largest = std::max(largest, static_cast<std::int64_t>(op->in().bytes() + op->out().bytes()));
  }
  const std::int64_t most = std::clamp<std::int64_t>(kWorkingSet / largest, 1, options.batch);
  const std::int64_t gradient = std::max<std::int64_t>(one.parameters.gradient_elements, 1) *
                                static_cast<std::int64_t>(sizeof(float));
  std::int64_t pieces =
      std::min((options.batch + most - 1) / most, std::max<std::int64_t>(kGradients / gradient, 1));
  pieces += pieces % 2;
  return (options.batch + pieces - 1) / pieces;
}

}  // namespace onnxop
