#include "onnxop/onnx/batch_rules.h"

namespace onnxop {

std::optional<std::vector<std::int64_t>> RuleNode::numbers(std::size_t index,
                                                           const std::string& name,
                                                           bool* given) const {
  const BatchValue* value = input(index);
  if (given != nullptr) {
    *given = value != nullptr || has_attribute(name);
  }
  if (value == nullptr) {
    return has_attribute(name) ? std::optional(integers(name)) : std::nullopt;
  }
  if (!value->numbers) {
    return std::nullopt;
  }
  std::vector<std::int64_t> known;
  for (const ShapeNumber& each : *value->numbers) {
    if (each.kind != ShapeNumber::Kind::kKnown) {
      return std::nullopt;
    }
    known.push_back(each.value);
  }
  return known;
}

const BatchRule* find_batch_rule(std::string_view op_type) {
  static const BatchRules rules = [] {
    BatchRules made;
    add_elementwise_rules(made);
    add_layer_rules(made);
    add_matrix_rules(made);
    add_axis_rules(made);
    add_shape_rules(made);
    add_cut_rules(made);
    add_resize_rules(made);
    add_pick_rules(made);
    return made;
  }();
  const auto at = rules.find(op_type);
  return at == rules.end() ? nullptr : &at->second;
}

bool constant_from(const RuleNode& node, std::size_t first) {
  for (std::size_t i = first; i < node.inputs().size(); ++i) {
    if (node.input(i) != nullptr && !node.input(i)->is_constant()) {
      return false;
    }
  }
  return true;
}

}  // namespace onnxop
