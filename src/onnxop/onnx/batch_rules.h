#pragma once
// What each operator of ONNX does with the batch dimension: one rule an operator, from what is
// known of its inputs to what is known of its outputs. Private to this room.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onnxop/base/format.h"
#include "onnxop/onnx/batch_value.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {

/// A node and what is known of its inputs, of which none is unknown.
class RuleNode {
 public:
  RuleNode(const GraphNode& node, std::int64_t opset, std::optional<std::int64_t> fixed_batch,
           std::vector<const BatchValue*> inputs)
      : node_(node), opset_(opset), fixed_batch_(fixed_batch), inputs_(std::move(inputs)) {}

  const std::string& op() const { return node_.op_type; }
  std::int64_t opset() const { return opset_; }
  /// The number that the model writes for B; none where it is free.
  std::optional<std::int64_t> fixed_batch() const { return fixed_batch_; }
  const std::vector<const BatchValue*>& inputs() const { return inputs_; }
  /// Null where it is left out.
  const BatchValue* input(std::size_t index) const {
    return index < inputs_.size() ? inputs_[index] : nullptr;
  }
  std::size_t outputs() const { return node_.outputs.size(); }
  bool has_output(std::size_t index) const {
    return index < node_.outputs.size() && !node_.outputs[index].empty();
  }
  bool has_attribute(const std::string& name) const { return node_.attributes.contains(name); }

  /// An attribute of another type counts as `otherwise`, and is told by malformed().
  template <typename T>
  T attribute(const std::string& name, T otherwise) const {
    const auto at = node_.attributes.find(name);
    if (at == node_.attributes.end()) {
      return otherwise;
    }
    if (const T* value = std::get_if<T>(&at->second)) {
      return *value;
    }
    malformed_ = name;
    return otherwise;
  }
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const {
    return attribute<std::int64_t>(name, otherwise);
  }
  std::vector<std::int64_t> integers(const std::string& name) const {
    return attribute<std::vector<std::int64_t>>(name, {});
  }
  const std::string& malformed() const { return malformed_; }

  /// The known numbers of input `index`, or of attribute `name` where there is no such input; none
  /// where there is neither, or they are not known. `given`: whether there is either.
  std::optional<std::vector<std::int64_t>> numbers(std::size_t index, const std::string& name,
                                                   bool* given = nullptr) const;

  /// Reshape's new target, where the number that the model writes for B has to go.
  mutable std::optional<std::vector<std::int64_t>> new_shape;

 private:
  const GraphNode& node_;
  std::int64_t opset_;
  std::optional<std::int64_t> fixed_batch_;
  std::vector<const BatchValue*> inputs_;
  mutable std::string malformed_;
};

/// One value for each output; where there are fewer, the rest is unknown.
using RuleResult = std::vector<BatchValue>;

struct BatchRule {
  RuleResult (*apply)(const RuleNode&) = nullptr;
  bool takes_counts = false;  // inputs may be kCounts; elsewhere the analysis refuses them before
};

using BatchRules = std::unordered_map<std::string_view, BatchRule>;

/// The rule for an operator of ONNX's own domain; null where there is none.
const BatchRule* find_batch_rule(std::string_view op_type);

/// What the files of rules add to the table.
void add_elementwise_rules(BatchRules& rules);
void add_layer_rules(BatchRules& rules);
void add_matrix_rules(BatchRules& rules);
void add_axis_rules(BatchRules& rules);
void add_shape_rules(BatchRules& rules);
void add_cut_rules(BatchRules& rules);
void add_resize_rules(BatchRules& rules);
void add_pick_rules(BatchRules& rules);

/// The result of a rule that could show nothing.
template <typename... Args>
RuleResult not_shown(FormatString<Args...> text, Args&&... args) {
  std::vector<BatchValue> result;
  result.push_back(BatchValue::unknown(format(text, std::forward<Args>(args)...)));
  return result;
}

/// Whether all inputs from `first` on are constants or left out.
bool constant_from(const RuleNode& node, std::size_t first);

}  // namespace onnxop
