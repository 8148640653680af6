// Operators that compute along some dimensions: they must not be the batch's.

#include <algorithm>
#include <set>
#include <utility>

#include "onnxop/onnx/batch_rules.h"

namespace onnxop {
namespace {

/// The batched input 0 with all others constant; null otherwise.
const BatchValue* only_batch(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  return input != nullptr && input->is_batched() && constant_from(node, 1) ? input : nullptr;
}

RuleResult expected_batch() {
  return not_shown("expected a batch as the first input and constants as the others");
}

RuleResult softmax(const RuleNode& node) {
  const BatchValue* input = only_batch(node);
  if (input == nullptr) {
    return expected_batch();
  }
  const bool one_axis = node.opset() >= 13;  // before: over the axis and all behind it
  const auto axis = normal_axis(node.integer("axis", one_axis ? -1 : 1), input->rank());
  if (!axis || (one_axis ? *axis == input->axis : *axis <= input->axis)) {
    return not_shown("it works over the batch dimension");
  }
  return {*input};
}

RuleResult reduce(const RuleNode& node) {
  const BatchValue* input = only_batch(node);
  if (input == nullptr) {
    return expected_batch();
  }
  bool given = false;
  const auto numbers = node.numbers(1, "axes", &given);
  if (given && !numbers) {
    return not_shown("its axes are not known");
  }
  if (!numbers || numbers->empty()) {
    return not_shown("it reduces all dimensions, the batch with them");
  }
  std::set<std::size_t> axes;
  for (const std::int64_t each : *numbers) {
    const auto axis = normal_axis(each, input->rank());
    if (!axis || *axis == input->axis) {
      return not_shown("it reduces the batch dimension");
    }
    axes.insert(*axis);
  }
  const bool keep = node.integer("keepdims", 1) != 0;
  Shape dims;
  std::size_t batch = 0;
  for (std::size_t i = 0; i < input->rank(); ++i) {
    if (i == input->axis) {
      batch = dims.size();
    }
    if (!axes.contains(i)) {
      dims.push_back((*input->dims)[i]);
    } else if (keep) {
      dims.push_back(1);
    }
  }
  return {BatchValue::batched(batch, std::move(dims))};
}

RuleResult arg_extreme(const RuleNode& node) {
  const BatchValue* input = only_batch(node);
  if (input == nullptr) {
    return expected_batch();
  }
  const auto axis = normal_axis(node.integer("axis", 0), input->rank());
  if (!axis || *axis == input->axis) {
    return not_shown("it works over the batch dimension");
  }
  Shape dims = *input->dims;
  if (node.integer("keepdims", 1) != 0) {
    dims[*axis] = 1;
    return {BatchValue::batched(input->axis, std::move(dims))};
  }
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(*axis));
  return {BatchValue::batched(input->axis - (*axis < input->axis ? 1 : 0), std::move(dims))};
}

RuleResult top_k(const RuleNode& node) {
  const BatchValue* input = only_batch(node);
  if (input == nullptr) {
    return expected_batch();
  }
  const auto axis = normal_axis(node.integer("axis", -1), input->rank());
  if (!axis || *axis == input->axis) {
    return not_shown("it works over the batch dimension");
  }
  const auto k = node.numbers(1, "k");
  Shape dims = *input->dims;
  dims[*axis] = k && k->size() == 1 ? k->front() : -1;
  const BatchValue made = BatchValue::batched(input->axis, std::move(dims));
  return {made, made};
}

RuleResult cumulative_sum(const RuleNode& node) {
  const BatchValue* input = only_batch(node);
  if (input == nullptr) {
    return expected_batch();
  }
  const auto number = node.numbers(1, "");
  const auto axis =
      number && number->size() == 1 ? normal_axis(number->front(), input->rank()) : std::nullopt;
  if (!axis || *axis == input->axis) {
    return not_shown("it works over the batch dimension, or over one that is not known");
  }
  return {*input};
}

/// A triangle of the last two dimensions.
RuleResult triangle(const RuleNode& node) {
  const BatchValue* input = only_batch(node);
  if (input == nullptr) {
    return expected_batch();
  }
  if (input->axis + 2 >= input->rank()) {
    return not_shown("it takes the batch dimension for a matrix's");
  }
  return {*input};
}

}  // namespace

void add_axis_rules(BatchRules& rules) {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    rules[op] = {softmax};
  }
  for (const char* op : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
                         "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"}) {
    rules[op] = {reduce};
  }
  rules["ArgMax"] = {arg_extreme};
  rules["ArgMin"] = {arg_extreme};
  rules["TopK"] = {top_k};
  rules["CumSum"] = {cumulative_sum};
  rules["Trilu"] = {triangle};
}

}  // namespace onnxop
