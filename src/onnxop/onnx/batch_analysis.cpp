#include "onnxop/onnx/batch_analysis.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "onnxop/onnx/batch_rules.h"

namespace onnxop {
namespace {

// Opsets whose operators' rules are known here; from 7 on broadcasting is as the rules say.
constexpr std::int64_t kFirstOpset = 7;
constexpr std::int64_t kLastOpset = 24;

/// Operators of ONNX whose outputs differ from run to run.
bool is_random(std::string_view op) {
  constexpr std::array kRandom{"Bernoulli",        "Dropout",          "Multinomial",
                               "RandomNormal",     "RandomNormalLike", "RandomUniform",
                               "RandomUniformLike"};
  return std::find(kRandom.begin(), kRandom.end(), op) != kRandom.end();
}

class Analysis {
 public:
  explicit Analysis(const BatchGraph& graph) : graph_(graph), scaled_inputs_(graph) {}

  BatchAnalysis run() {
    result_.problem = follow();
    if (!result_.problem.empty()) {
      result_.reshapes.clear();
    }
    result_.slow_scalars = scaled_inputs_.slow();
    return std::move(result_);
  }

 private:
  /// The first problem; "" where there is none.
  std::string follow() {
    if (graph_.opset < kFirstOpset || graph_.opset > kLastOpset) {
      return format("opset {}: only {} to {} are known here", graph_.opset, kFirstOpset,
                    kLastOpset);
    }
    for (const auto& [name, value] : graph_.constants) {
      values_[name] = value;
    }
    std::string problem = take_inputs();
    for (std::size_t i = 0; problem.empty() && i < graph_.nodes.size(); ++i) {
      problem = take_node(i);
    }
    return problem.empty() ? check_outputs() : problem;
  }

  std::string take_inputs() {
    if (graph_.inputs.empty()) {
      return "the model has no input";
    }
    std::optional<GraphDim> first;
    for (const BatchInput& input : graph_.inputs) {
      if (!input.dims || input.dims->empty()) {
        return format("input '{}' has no dimension 0", input.name);
      }
      const GraphDim& dim = input.dims->front();
      if (dim.size == 0) {
        return format("input '{}' has a dimension 0 of size 0", input.name);
      }
      if (!first) {
        first = dim;
      }
      const bool same = first->size == dim.size && (first->symbol == dim.symbol ||
                                                    first->symbol.empty() || dim.symbol.empty());
      if (!same) {
        return format("inputs '{}' and '{}' have different sizes of dimension 0: {} and {}",
                      graph_.inputs.front().name, input.name, dim_text(*first), dim_text(dim));
      }
      if (first->symbol.empty()) {
        first->symbol = dim.symbol;
      }
      values_[input.name] = BatchValue::batched(0, sizes_of(*input.dims));
      result_.axes[input.name] = 0;
    }
    if (first->size > 0) {
      result_.fixed = first->size;
    }
    return first->size > 0 || first->symbol.empty() ? "" : check_symbol(first->symbol);
  }

  /// The batch's symbol must not be the size of another dimension too.
  std::string check_symbol(const std::string& symbol) const {
    for (const BatchInput& input : graph_.inputs) {
      for (std::size_t i = 1; i < input.dims->size(); ++i) {
        if ((*input.dims)[i].size < 0 && (*input.dims)[i].symbol == symbol) {
          return format("input '{}' has '{}' as its dimensions 0 and {}", input.name, symbol, i);
        }
      }
    }
    return "";
  }

  static std::string dim_text(const GraphDim& dim) {
    return dim.size >= 0 ? std::to_string(dim.size) : dim.symbol.empty() ? "?" : dim.symbol;
  }

  static Shape sizes_of(const std::vector<GraphDim>& dims) {
    Shape sizes;
    for (const GraphDim& dim : dims) {
      sizes.push_back(dim.size);
    }
    return sizes;
  }

  std::string take_node(std::size_t index) {
    const BatchNode& from = graph_.nodes[index];
    std::vector<const BatchValue*> inputs;
    for (const std::string& name : from.node.inputs) {
      if (name.empty()) {
        inputs.push_back(nullptr);
        continue;
      }
      const auto at = values_.find(name);
      if (at == values_.end()) {
        return format("{}: nothing makes its input '{}'", from.title, name);
      }
      inputs.push_back(&at->second);
    }
    scaled_inputs_.take(from, index, inputs);
    RuleNode node(from.node, graph_.opset, result_.fixed, std::move(inputs));
    RuleResult outputs = apply(from, node);
    if (node.new_shape) {
      result_.reshapes.push_back({index, *node.new_shape});
    }
    outputs.resize(from.node.outputs.size(), BatchValue::unknown("nothing is known of it"));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string& name = from.node.outputs[i];
      if (name.empty()) {
        continue;
      }
      if (outputs[i].is_unknown()) {
        return format("{}: {}", from.title, outputs[i].reason);
      }
      if (outputs[i].is_batched()) {
        result_.axes[name] = outputs[i].axis;
      }
      if (!values_.emplace(name, std::move(outputs[i])).second) {
        return format("{}: its output '{}' is made twice", from.title, name);
      }
    }
    return "";
  }

  static RuleResult apply(const BatchNode& from, const RuleNode& node) {
    if (!from.oddity.empty()) {
      return not_shown("{}", from.oddity);
    }
    if (!from.domain.empty()) {
      return not_shown("operators of domain '{}' are not known", from.domain);
    }
    if (from.constant) {
      return {*from.constant};
    }
    RuleResult result = apply_rule(node);
    if (!node.malformed().empty()) {
      return not_shown("its attribute '{}' has another type than it should", node.malformed());
    }
    // What is computed of constants alone is constant, whether or not its shape is known.
    const bool of_constants = !node.inputs().empty() && constant_from(node, 0);
    if (of_constants && !is_random(node.op())) {
      result.resize(node.outputs());
      for (BatchValue& each : result) {
        each = each.is_unknown() ? BatchValue::constant(std::nullopt) : std::move(each);
      }
    }
    return result;
  }

  static RuleResult apply_rule(const RuleNode& node) {
    const BatchRule* rule = find_batch_rule(node.op());
    if (rule == nullptr) {
      return not_shown("what this operator does with the batch dimension is not known");
    }
    const bool counts =
        std::any_of(node.inputs().begin(), node.inputs().end(), [](const BatchValue* each) {
          return each != nullptr && each->kind == BatchValue::Kind::kCounts;
        });
    if (counts && !rule->takes_counts) {
      return not_shown("it computes with the number of rows");
    }
    return rule->apply(node);
  }

  std::string check_outputs() const {
    if (graph_.outputs.empty()) {
      return "the model has no output";
    }
    for (const BatchInput& output : graph_.outputs) {
      const auto at = values_.find(output.name);
      if (at == values_.end()) {
        return format("nothing makes output '{}'", output.name);
      }
      if (!at->second.is_batched()) {
        return format("output '{}' does not have the batch as a dimension", output.name);
      }
      if (at->second.axis != 0) {
        return format("output '{}' has the batch as dimension {}, expected 0", output.name,
                      at->second.axis);
      }
      const bool declared = output.dims && !output.dims->empty() && output.dims->front().size >= 0;
      if (declared && output.dims->front().size != result_.fixed.value_or(-1)) {
        return format("output '{}' declares a dimension 0 of size {}, where the inputs have {}",
                      output.name, output.dims->front().size,
                      result_.fixed ? std::to_string(*result_.fixed) : "a free one");
      }
    }
    return "";
  }

  const BatchGraph& graph_;
  std::map<std::string, BatchValue> values_;
  ScaledInputs scaled_inputs_;
  BatchAnalysis result_;
};

}  // namespace

BatchAnalysis analyse_batch(const BatchGraph& graph) {
  return Analysis(graph).run();
}

}  // namespace onnxop
