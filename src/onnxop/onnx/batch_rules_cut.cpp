// Operators that join, cut and repeat along dimensions.

#include <algorithm>
#include <limits>
#include <utility>

#include "onnxop/onnx/batch_rules.h"

namespace onnxop {
namespace {

using Kind = BatchValue::Kind;

bool all_vectors_of_numbers(const RuleNode& node) {
  return std::all_of(node.inputs().begin(), node.inputs().end(), [](const BatchValue* each) {
    return each != nullptr && each->numbers && each->rank() == 1 && !each->fractions;
  });
}

RuleResult concat(const RuleNode& node) {
  if (node.inputs().empty()) {
    return not_shown("it has no input");
  }
  if (all_vectors_of_numbers(node)) {
    std::vector<ShapeNumber> numbers;
    for (const BatchValue* each : node.inputs()) {
      numbers.insert(numbers.end(), each->numbers->begin(), each->numbers->end());
    }
    return {BatchValue::of_numbers(std::move(numbers), false)};
  }
  const BatchValue* first = node.input(0);
  for (const BatchValue* each : node.inputs()) {
    if (each == nullptr || !each->dims || each->kind != first->kind ||
        each->kind == Kind::kCounts || each->rank() != first->rank() ||
        (each->is_batched() && each->axis != first->axis)) {
      return not_shown("its inputs are not all batched along the same dimension");
    }
  }
  const auto axis = normal_axis(node.integer("axis", 1), first->rank());
  if (!axis || (first->is_batched() && *axis == first->axis)) {
    return not_shown("it joins along the batch dimension");
  }
  Shape dims = *first->dims;
  for (std::size_t i = 1; i < node.inputs().size(); ++i) {
    const Shape& more = *node.input(i)->dims;
    for (std::size_t d = 0; d < dims.size(); ++d) {
      if (d == *axis) {
        dims[d] = dims[d] < 0 || more[d] < 0 ? -1 : dims[d] + more[d];
      } else {
        dims[d] = std::max(dims[d], more[d]);  // equal, where both are known
      }
    }
  }
  return {first->reshaped(first->axis, std::move(dims))};
}

RuleResult split(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->dims || !constant_from(node, 1) || input->kind == Kind::kCounts) {
    return not_shown("expected an input of known shape and constant sizes");
  }
  const auto axis = normal_axis(node.integer("axis", 0), input->rank());
  if (!axis || (input->is_batched() && *axis == input->axis)) {
    return not_shown("it cuts along the batch dimension");
  }
  const auto sizes = node.numbers(1, "split");
  RuleResult result;
  for (std::size_t i = 0; i < node.outputs(); ++i) {
    Shape dims = *input->dims;
    dims[*axis] = sizes && sizes->size() == node.outputs() ? (*sizes)[i] : -1;
    result.push_back(input->reshaped(input->axis, std::move(dims)));
  }
  return result;
}

/// A cut along one dimension.
struct Cut {
  std::int64_t begin, end, step;

  bool is_all() const {
    return begin == 0 && step == 1 && end >= std::numeric_limits<std::int32_t>::max();
  }
  /// Where it lies in a dimension of this size; none for backward steps.
  std::optional<std::pair<std::int64_t, std::int64_t>> range(std::int64_t size) const {
    if (step < 1 || size < 0) {
      return std::nullopt;
    }
    const auto clamped = [size](std::int64_t at) {
      return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
    };
    return std::pair(clamped(begin), std::max(clamped(begin), clamped(end)));
  }
  std::int64_t size(std::int64_t of) const {
    const auto at = range(of);
    return at ? (at->second - at->first + step - 1) / step : -1;
  }
};

/// Slice's axes; those that it leaves out are the first ones. None where they are not known.
std::optional<std::vector<std::int64_t>> slice_axes(const RuleNode& node, std::size_t count) {
  bool given = false;
  auto axes = node.numbers(3, "axes", &given);
  if (!given) {
    axes.emplace();
    for (std::size_t i = 0; i < count; ++i) {
      axes->push_back(static_cast<std::int64_t>(i));
    }
  }
  return axes;
}

/// How many axes Slice cuts; none where that is not known.
std::optional<std::size_t> slice_count(const RuleNode& node) {
  if (const BatchValue* starts = node.input(1)) {
    return starts->dims && starts->rank() == 1 && starts->dims->front() >= 0
               ? std::optional(static_cast<std::size_t>(starts->dims->front()))
               : std::nullopt;
  }
  return node.integers("starts").size();
}

RuleResult slice(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  const auto count = slice_count(node);
  const auto axes = count ? slice_axes(node, *count) : std::nullopt;
  if (input == nullptr || !input->dims || !axes || axes->size() != *count ||
      !constant_from(node, 1)) {
    return not_shown("expected an input of known shape and constant axes");
  }
  const auto begins = node.numbers(1, "starts");
  const auto ends = node.numbers(2, "ends");
  bool has_steps = false;
  auto steps = node.numbers(4, "steps", &has_steps);
  if (!has_steps) {
    steps.emplace(axes->size(), 1);
  }
  const bool known =
      begins && ends && steps && ends->size() == begins->size() && steps->size() == begins->size();
  Shape dims = *input->dims;
  std::optional<Cut> of_numbers;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const auto axis = normal_axis((*axes)[i], input->rank());
    if (!axis) {
      return not_shown("its axis is out of range");
    }
    const std::optional<Cut> cut =
        known ? std::optional(Cut{(*begins)[i], (*ends)[i], (*steps)[i]}) : std::nullopt;
    if (input->is_batched() && *axis == input->axis && !(cut && cut->is_all())) {
      return not_shown("it cuts along the batch dimension");
    }
    dims[*axis] = cut ? cut->size(dims[*axis]) : -1;
    of_numbers = cut;
  }
  const auto at = input->numbers && of_numbers && axes->size() == 1 && of_numbers->step == 1
                      ? of_numbers->range(static_cast<std::int64_t>(input->numbers->size()))
                      : std::nullopt;
  if (at) {
    BatchValue made = BatchValue::of_numbers(
        {input->numbers->begin() + at->first, input->numbers->begin() + at->second}, false);
    made.fractions = input->fractions;
    return {std::move(made)};
  }
  if (input->kind == Kind::kCounts) {
    return not_shown("it cuts a shape at places that are not known");
  }
  return {input->reshaped(input->axis, std::move(dims))};
}

/// Expand (the size that a dimension of 1 gets) and Tile (the times that a dimension is repeated).
class Repetition {
 public:
  explicit Repetition(const RuleNode& node) : expand_(node.op() == "Expand"), node_(node) {}

  RuleResult apply() {
    const BatchValue* input = node_.input(0);
    const BatchValue* target = node_.input(1);
    if (input == nullptr || !input->dims || input->kind == Kind::kCounts || target == nullptr ||
        !target->numbers || target->rank() != 1) {
      return not_shown("expected an input of known shape and numbers that are known");
    }
    const std::vector<ShapeNumber>& numbers = *target->numbers;
    const std::size_t rank = std::max(input->rank(), numbers.size());
    if (!expand_ && numbers.size() != input->rank()) {
      return not_shown("expected one number for each dimension");
    }
    Shape dims(rank, 1);
    std::optional<std::size_t> batch;
    for (std::size_t i = 0; i < rank; ++i) {
      const std::size_t from_end = rank - 1 - i;
      const bool has = from_end < input->rank();
      const std::size_t own = has ? input->rank() - 1 - from_end : 0;
      const bool is_batch = has && input->is_batched() && own == input->axis;
      const ShapeNumber number = from_end < numbers.size() ? numbers[numbers.size() - 1 - from_end]
                                                           : ShapeNumber::known(1);
      const std::int64_t size = has ? (*input->dims)[own] : 1;
      if (is_batch ? !keeps_batch(number)
                   : number.depends_on_batch() && !makes_batch(number, size)) {
        return not_shown("it repeats along the batch dimension, or with the number of rows");
      }
      if (is_batch || number.depends_on_batch()) {
        if (batch) {
          return not_shown("it makes a second dimension with the number of rows");
        }
        batch = i;
      }
      dims[i] = repeated(size, number);
    }
    return {batch ? BatchValue::batched(*batch, std::move(dims))
                  : BatchValue::constant(std::move(dims))};
  }

 private:
  bool keeps_batch(const ShapeNumber& number) const {
    return number.is_known(1) || (expand_ && number.kind == ShapeNumber::Kind::kBatch);
  }
  static bool makes_batch(const ShapeNumber& number, std::int64_t size) {
    return number.kind == ShapeNumber::Kind::kBatch && size == 1;
  }
  std::int64_t repeated(std::int64_t size, const ShapeNumber& number) const {
    if (number.kind != ShapeNumber::Kind::kKnown || number.value < 1) {
      return -1;
    }
    if (number.value == 1) {
      return size;
    }
    if (!expand_) {
      return size == 1 ? number.value : -1;
    }
    return number.value;
  }

  bool expand_;
  const RuleNode& node_;
};

RuleResult repeat(const RuleNode& node) {
  return Repetition(node).apply();
}

}  // namespace

void add_cut_rules(BatchRules& rules) {
  rules["Concat"] = {concat, true};
  rules["Split"] = {split};
  rules["Slice"] = {slice, true};
  rules["Expand"] = {repeat, true};
  rules["Tile"] = {repeat, true};
}

}  // namespace onnxop
