// Operators that move dimensions and compute shapes.

#include <algorithm>
#include <set>
#include <utility>

#include "onnxop/onnx/batch_reshape.h"
#include "onnxop/onnx/batch_rules.h"

namespace onnxop {
namespace {

using Kind = BatchValue::Kind;

RuleResult shape(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->dims) {
    return not_shown("the shape of its input is not known");
  }
  const auto rank = static_cast<std::int64_t>(input->rank());
  const auto clamped = [rank](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t end = clamped(node.integer("end", rank));
  std::vector<ShapeNumber> numbers;
  for (std::int64_t i = clamped(node.integer("start", 0)); i < end; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t size = (*input->dims)[at];
    const bool batch = input->is_batched() && at == input->axis;
    numbers.push_back(batch       ? ShapeNumber::batch()
                      : size >= 0 ? ShapeNumber::known(size)
                                  : ShapeNumber::other());
  }
  return {BatchValue::of_numbers(std::move(numbers), false)};
}

RuleResult constant_of_shape(const RuleNode& node) {
  const BatchValue* target = node.input(0);
  if (target == nullptr || !target->numbers) {
    return not_shown("its shape is not known");
  }
  Shape dims;
  std::optional<std::size_t> batch;
  for (const ShapeNumber& each : *target->numbers) {
    if (each.kind == ShapeNumber::Kind::kMixed ||
        (each.kind == ShapeNumber::Kind::kBatch && batch)) {
      return not_shown("its shape holds more than the number of rows");
    }
    if (each.kind == ShapeNumber::Kind::kBatch) {
      batch = dims.size();
    }
    dims.push_back(each.kind == ShapeNumber::Kind::kKnown ? each.value : -1);
  }
  return {batch ? BatchValue::batched(*batch, std::move(dims))
                : BatchValue::constant(std::move(dims))};
}

RuleResult range(const RuleNode& node) {
  if (!constant_from(node, 0)) {
    return not_shown("its limits depend on the batch");
  }
  return {BatchValue::constant(Shape{-1})};
}

RuleResult flatten(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->dims) {
    return not_shown("the shape of its input is not known");
  }
  const auto rank = static_cast<std::int64_t>(input->rank());
  std::int64_t axis = node.integer("axis", 1);
  axis = axis < 0 ? axis + rank : axis;
  if (axis < 0 || axis > rank) {
    return not_shown("its axis is out of range");
  }
  const auto split = static_cast<std::size_t>(axis);
  const auto size = [&](std::size_t from, std::size_t to) {
    return known_product(*input->dims, from, to).value_or(-1);
  };
  if (!input->is_batched()) {
    return {BatchValue::constant(Shape{size(0, split), size(split, input->rank())})};
  }
  if (input->axis != 0 || split == 0 || size(1, split) != 1) {
    return not_shown("it joins the batch dimension with others");
  }
  return {BatchValue::batched(0, {-1, size(split, input->rank())})};
}

RuleResult transpose(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->dims) {
    return not_shown("the shape of its input is not known");
  }
  auto order = node.integers("perm");
  if (order.empty()) {
    for (std::size_t i = input->rank(); i > 0; --i) {
      order.push_back(static_cast<std::int64_t>(i - 1));
    }
  }
  Shape dims;
  std::set<std::size_t> seen;
  std::size_t batch = 0;
  for (const std::int64_t each : order) {
    const auto from = normal_axis(each, input->rank());
    if (!from || !seen.insert(*from).second) {
      return not_shown("its perm is no order of the dimensions");
    }
    if (*from == input->axis) {
      batch = dims.size();
    }
    dims.push_back((*input->dims)[*from]);
  }
  if (dims.size() != input->rank()) {
    return not_shown("its perm is no order of the dimensions");
  }
  return {input->reshaped(batch, std::move(dims))};
}

/// The axes of Squeeze and Unsqueeze; none where they are not known.
std::optional<std::set<std::size_t>> known_axes(const RuleNode& node, std::size_t rank) {
  const auto numbers = node.numbers(1, "axes");
  if (!numbers) {
    return std::nullopt;
  }
  std::set<std::size_t> axes;
  for (const std::int64_t each : *numbers) {
    const auto axis = normal_axis(each, rank);
    if (!axis) {
      return std::nullopt;
    }
    axes.insert(*axis);
  }
  return axes;
}

RuleResult squeeze(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->dims || !constant_from(node, 1)) {
    return not_shown("expected an input of known shape and constant axes");
  }
  const auto axes = known_axes(node, input->rank());
  if (!axes) {
    return not_shown("its axes are not known: it may take the batch dimension out");
  }
  if (input->numbers && input->numbers->size() == 1 && axes->size() == input->rank()) {
    BatchValue made = BatchValue::of_numbers(*input->numbers, true);
    made.fractions = input->fractions;
    return {std::move(made)};
  }
  if (input->kind == Kind::kCounts) {
    return not_shown("it takes a dimension out of a shape of several numbers");
  }
  Shape dims;
  std::size_t batch = 0;
  for (std::size_t i = 0; i < input->rank(); ++i) {
    if (input->is_batched() && i == input->axis) {
      if (axes->contains(i)) {
        return not_shown("it takes the batch dimension out");
      }
      batch = dims.size();
    }
    if (!axes->contains(i)) {
      dims.push_back((*input->dims)[i]);
    }
  }
  return {input->reshaped(batch, std::move(dims))};
}

RuleResult unsqueeze(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->dims || !constant_from(node, 1)) {
    return not_shown("expected an input of known shape and constant axes");
  }
  const auto numbers = node.numbers(1, "axes");
  const std::size_t rank = input->rank() + (numbers ? numbers->size() : 0);
  const auto axes = known_axes(node, rank);
  if (!axes || axes->size() != numbers->size()) {
    return not_shown("its axes are not known");
  }
  if (input->numbers && input->is_scalar() && rank == 1) {
    BatchValue made = BatchValue::of_numbers(*input->numbers, false);
    made.fractions = input->fractions;
    return {std::move(made)};
  }
  if (input->kind == Kind::kCounts) {
    return not_shown("it makes a matrix of a shape");
  }
  Shape dims;
  std::size_t from = 0;
  std::size_t batch = 0;
  for (std::size_t i = 0; i < rank; ++i) {
    if (axes->contains(i)) {
      dims.push_back(1);
      continue;
    }
    if (from == input->axis) {
      batch = i;
    }
    dims.push_back((*input->dims)[from++]);
  }
  return {input->reshaped(batch, std::move(dims))};
}

}  // namespace

void add_shape_rules(BatchRules& rules) {
  rules["Shape"] = {shape, true};
  rules["ConstantOfShape"] = {constant_of_shape, true};
  rules["Range"] = {range};
  rules["Flatten"] = {flatten};
  rules["Transpose"] = {transpose};
  rules["Squeeze"] = {squeeze, true};
  rules["Unsqueeze"] = {unsqueeze, true};
  rules["Reshape"] = {reshape_rule, true};
}

}  // namespace onnxop
