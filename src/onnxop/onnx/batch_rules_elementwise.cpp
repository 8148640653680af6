// Operators that work element by element: the batch stays where broadcasting puts it.

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "onnxop/onnx/batch_rules.h"
#include "onnxop/tensor/dtype.h"

namespace onnxop {
namespace {

using Kind = ShapeNumber::Kind;

constexpr std::array kUnary{"Abs",
                            "Acos",
                            "Acosh",
                            "Asin",
                            "Asinh",
                            "Atan",
                            "Atanh",
                            "BitwiseNot",
                            "Ceil",
                            "Celu",
                            "Cos",
                            "Cosh",
                            "Elu",
                            "Erf",
                            "Exp",
                            "Floor",
                            "Gelu",
                            "IsInf",
                            "IsNaN",
                            "Log",
                            "HardSigmoid",
                            "HardSwish",
                            "LeakyRelu",
                            "Mish",
                            "Neg",
                            "Not",
                            "Reciprocal",
                            "Relu",
                            "Round",
                            "Selu",
                            "Shrink",
                            "Sigmoid",
                            "Sign",
                            "Sin",
                            "Sinh",
                            "Softplus",
                            "Softsign",
                            "Sqrt",
                            "Tan",
                            "Tanh",
                            "ThresholdedRelu"};

constexpr std::array kBroadcasting{
    "And",   "BitShift",    "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Greater", "GreaterOrEqual",
    "Less",  "LessOrEqual", "Max",        "Mean",      "Min",        "Mod",     "Or",
    "PRelu", "Pow",         "Sum",        "Xor"};

RuleResult unary(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !constant_from(node, 1)) {
    return not_shown("expected one input that is no constant, the first");
  }
  return {input->dims ? input->reshaped(input->axis, *input->dims)
                      : BatchValue::constant(std::nullopt)};
}

RuleResult broadcasting(const RuleNode& node) {
  return {broadcast(node.inputs())};
}

RuleResult identity(const RuleNode& node) {
  return node.input(0) == nullptr ? not_shown("it has no input") : RuleResult{*node.input(0)};
}

/// min and max may have any shape that stands for one number.
RuleResult clip(const RuleNode& node) {
  for (std::size_t i : {1U, 2U}) {
    const BatchValue* limit = node.input(i);
    if (limit != nullptr && (!limit->is_constant() || !limit->dims ||
                             known_product(*limit->dims, 0, limit->rank()) != 1)) {
      return not_shown("its limits are no constants of one element");
    }
  }
  return unary(node);
}

RuleResult dropout(const RuleNode& node) {
  const BatchValue* training = node.input(2);
  if (training != nullptr && !(training->numbers && training->numbers->size() == 1 &&
                               training->numbers->front().is_known(0))) {
    return not_shown("it may be in training mode");
  }
  RuleResult result = unary(node);
  result.push_back(result.front());  // the mask
  return result;
}

/// Scale and zero point for all elements, or one for each slice along an axis.
RuleResult quantize(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  const BatchValue* scale = node.input(1);
  if (input == nullptr || scale == nullptr || !constant_from(node, 1) || !scale->dims ||
      scale->rank() > 1) {
    return not_shown("its scale is no constant scalar or vector");
  }
  if (!input->is_batched()) {
    return unary(node);
  }
  const bool per_axis = scale->rank() == 1 && scale->dims->front() != 1;
  const auto axis = normal_axis(node.integer("axis", 1), input->rank());
  if (per_axis && (!axis || *axis == input->axis)) {
    return not_shown("it scales along the batch dimension");
  }
  return unary(node);
}

/// Computed sizes are small; what is larger may have been cut to 32 bits on its way.
ShapeNumber small_or_other(std::int64_t value) {
  return value >= std::numeric_limits<std::int32_t>::min() &&
                 value <= std::numeric_limits<std::int32_t>::max()
             ? ShapeNumber::known(value)
             : ShapeNumber::other();
}

RuleResult cast(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr) {
    return not_shown("it has no input");
  }
  const auto to = static_cast<DType>(node.integer("to", 0));
  if (input->numbers && (to == DType::kInt64 || to == DType::kInt32)) {
    BatchValue value = *input;
    value.fractions = false;
    for (ShapeNumber& each : *value.numbers) {
      if (each.kind == Kind::kKnown) {
        each = to == DType::kInt32 ? small_or_other(each.value) : each;
      }
    }
    return {std::move(value)};
  }
  if (input->kind == BatchValue::Kind::kCounts) {
    return not_shown("it turns the number of rows into another type");
  }
  return unary(node);
}

ShapeNumber without_value(std::span<const ShapeNumber> from) {
  const bool mixed = std::any_of(from.begin(), from.end(),
                                 [](const ShapeNumber& each) { return each.depends_on_batch(); });
  return mixed ? ShapeNumber::mixed() : ShapeNumber::other();
}

std::optional<std::int64_t> compute(std::string_view op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (op == "Add") {
    return __builtin_add_overflow(a, b, &result) ? std::nullopt : std::optional(result);
  }
  if (op == "Sub") {
    return __builtin_sub_overflow(a, b, &result) ? std::nullopt : std::optional(result);
  }
  if (op == "Mul") {
    return __builtin_mul_overflow(a, b, &result) ? std::nullopt : std::optional(result);
  }
  if (op == "Div") {
    return b > 0 ? std::optional(a / b) : std::nullopt;
  }
  return op == "Equal" ? std::optional<std::int64_t>(a == b ? 1 : 0) : std::nullopt;
}

ShapeNumber combine(std::string_view op, const ShapeNumber& a, const ShapeNumber& b) {
  if (a.kind == Kind::kKnown && b.kind == Kind::kKnown) {
    const auto result = compute(op, a.value, b.value);
    return result ? small_or_other(*result) : ShapeNumber::other();
  }
  if (a.kind == Kind::kBatch && b.kind == Kind::kKnown) {
    const bool neutral =
        b.value == 0 ? op == "Add" || op == "Sub" : b.value == 1 && (op == "Mul" || op == "Div");
    if (neutral) {
      return a;
    }
    if (op == "Equal" && b.value <= 0) {
      return ShapeNumber::known(0);
    }
  }
  if (b.kind == Kind::kBatch && a.kind == Kind::kKnown && op != "Sub" && op != "Div") {
    return combine(op, b, a);
  }
  return without_value(std::array{a, b});
}

/// Whether all inputs are integers that are known one by one, in number alike or single; gives how
/// many.
std::optional<std::size_t> common_count(const RuleNode& node) {
  std::size_t count = 1;
  for (const BatchValue* input : node.inputs()) {
    if (input == nullptr || !input->numbers || input->fractions) {
      return std::nullopt;
    }
    count = input->numbers->size() == 1 ? count : input->numbers->size();
  }
  for (const BatchValue* input : node.inputs()) {
    if (input->numbers->size() != 1 && input->numbers->size() != count) {
      return std::nullopt;
    }
  }
  return count;
}

const ShapeNumber& number_at(const BatchValue& value, std::size_t index) {
  return value.numbers->size() == 1 ? value.numbers->front() : (*value.numbers)[index];
}

RuleResult not_followed(const RuleNode& node) {
  const bool counts =
      std::any_of(node.inputs().begin(), node.inputs().end(), [](const BatchValue* each) {
        return each != nullptr && each->kind == BatchValue::Kind::kCounts;
      });
  return counts ? not_shown("it computes with the number of rows") : broadcasting(node);
}

bool all_scalars(const RuleNode& node) {
  return std::all_of(node.inputs().begin(), node.inputs().end(),
                     [](const BatchValue* each) { return each->is_scalar(); });
}

RuleResult arithmetic(const RuleNode& node) {
  const auto count = node.inputs().size() == 2 ? common_count(node) : std::nullopt;
  if (!count) {
    return not_followed(node);
  }
  std::vector<ShapeNumber> numbers;
  for (std::size_t i = 0; i < *count; ++i) {
    numbers.push_back(
        combine(node.op(), number_at(*node.input(0), i), number_at(*node.input(1), i)));
  }
  return {BatchValue::of_numbers(std::move(numbers), all_scalars(node))};
}

RuleResult where(const RuleNode& node) {
  const auto count = node.inputs().size() == 3 ? common_count(node) : std::nullopt;
  if (!count) {
    return not_followed(node);
  }
  std::vector<ShapeNumber> numbers;
  for (std::size_t i = 0; i < *count; ++i) {
    const ShapeNumber& condition = number_at(*node.input(0), i);
    const ShapeNumber& yes = number_at(*node.input(1), i);
    const ShapeNumber& no = number_at(*node.input(2), i);
    numbers.push_back(condition.kind == Kind::kKnown
                          ? (condition.value != 0 ? yes : no)
                          : without_value(std::array{condition, yes, no}));
  }
  return {BatchValue::of_numbers(std::move(numbers), all_scalars(node))};
}

}  // namespace

void add_elementwise_rules(BatchRules& rules) {
  for (const char* op : kUnary) {
    rules[op] = {unary};
  }
  for (const char* op : kBroadcasting) {
    rules[op] = {broadcasting};
  }
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Equal"}) {
    rules[op] = {arithmetic, true};
  }
  rules["Where"] = {where, true};
  rules["Identity"] = {identity, true};
  rules["Cast"] = {cast, true};
  rules["Clip"] = {clip};
  rules["Dropout"] = {dropout};
  rules["QuantizeLinear"] = {quantize};
  rules["DequantizeLinear"] = {quantize};
}

}  // namespace onnxop
