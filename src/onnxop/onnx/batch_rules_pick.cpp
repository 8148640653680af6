// Operators that pick elements by indices.

#include <algorithm>
#include <utility>

#include "onnxop/onnx/batch_rules.h"

namespace onnxop {
namespace {

/// Numbers of a shape, picked by known indices.
RuleResult gather_numbers(const BatchValue& data, const BatchValue& indices) {
  const auto size = static_cast<std::int64_t>(data.numbers->size());
  if (!indices.numbers) {
    return not_shown("it picks from a shape by indices that are not known");
  }
  std::vector<ShapeNumber> picked;
  for (const ShapeNumber& index : *indices.numbers) {
    if (index.kind != ShapeNumber::Kind::kKnown || index.value < -size || index.value >= size) {
      return not_shown("it picks from a shape by indices that are not known");
    }
    const std::int64_t place = index.value < 0 ? index.value + size : index.value;
    picked.push_back((*data.numbers)[static_cast<std::size_t>(place)]);
  }
  BatchValue made = BatchValue::of_numbers(std::move(picked), indices.is_scalar());
  made.fractions = data.fractions;
  return {std::move(made)};
}

/// data's dimensions with those of the indices instead of `axis`.
Shape gathered_dims(const Shape& data, const Shape& indices, std::size_t axis) {
  Shape dims(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(dims.end(), indices.begin(), indices.end());
  dims.insert(dims.end(), data.begin() + static_cast<std::ptrdiff_t>(axis) + 1, data.end());
  return dims;
}

RuleResult gather(const RuleNode& node) {
  const BatchValue* data = node.input(0);
  const BatchValue* indices = node.input(1);
  if (data == nullptr || indices == nullptr || !data->dims || !indices->dims ||
      indices->kind == BatchValue::Kind::kCounts) {
    return not_shown("expected data and indices of known shape that do not hold B");
  }
  const auto axis = normal_axis(node.integer("axis", 0), data->rank());
  if (!axis) {
    return not_shown("its axis is out of range");
  }
  if (data->numbers && data->rank() == 1 && !indices->is_batched()) {
    RuleResult picked = gather_numbers(*data, *indices);
    if (data->kind == BatchValue::Kind::kCounts || !picked.front().is_unknown()) {
      return picked;
    }
  }
  if (data->kind == BatchValue::Kind::kCounts) {
    return not_shown("it picks the number of rows by indices from the rows");
  }
  Shape dims = gathered_dims(*data->dims, *indices->dims, *axis);
  if (data->is_batched()) {
    if (indices->is_batched()) {
      return not_shown("it picks from rows by indices from rows");
    }
    if (*axis == data->axis) {
      return not_shown("it picks along the batch dimension");
    }
    const std::size_t batch = data->axis < *axis ? data->axis : data->axis + indices->rank() - 1;
    return {BatchValue::batched(batch, std::move(dims))};
  }
  if (indices->is_batched()) {
    return {BatchValue::batched(*axis + indices->axis, std::move(dims))};
  }
  return {BatchValue::constant(std::move(dims))};
}

/// All inputs batched along one dimension, with the same number of dimensions; null otherwise.
const BatchValue* alike(const RuleNode& node, std::size_t count) {
  const BatchValue* first = node.input(0);
  for (std::size_t i = 0; i < count; ++i) {
    const BatchValue* each = node.input(i);
    if (each == nullptr || !each->is_batched() || each->axis != first->axis ||
        each->rank() != first->rank()) {
      return nullptr;
    }
  }
  return first;
}

/// Indices count within the axis, which must not be the batch's; the places along all other
/// dimensions are the same in all inputs.
RuleResult elements(const RuleNode& node) {
  const bool scatter = node.op() == "ScatterElements";
  const BatchValue* first = alike(node, scatter ? 3 : 2);
  if (first == nullptr) {
    return not_shown("expected all inputs batched along the same dimension");
  }
  const auto axis = normal_axis(node.integer("axis", 0), first->rank());
  if (!axis || *axis == first->axis) {
    return not_shown("it works along the batch dimension");
  }
  return {scatter ? *first : *node.input(1)};
}

RuleResult gather_nd(const RuleNode& node) {
  const BatchValue* data = node.input(0);
  const BatchValue* indices = node.input(1);
  if (data == nullptr || indices == nullptr || !data->dims || !indices->is_batched() ||
      indices->axis + 1 >= indices->rank()) {
    return not_shown("expected a batch of indices");
  }
  const std::int64_t width = indices->dims->back();
  const std::int64_t common = node.integer("batch_dims", 0);
  if (width < 1 || common < 0 || common >= static_cast<std::int64_t>(indices->rank())) {
    return not_shown("the number of its indices is not known");
  }
  const auto used = static_cast<std::size_t>(common + width);
  const bool by_row = data->is_batched() && data->axis == indices->axis &&
                      static_cast<std::int64_t>(data->axis) < common;
  const bool constant_data = data->is_constant() && common == 0;
  if ((!by_row && !constant_data) || used > data->rank()) {
    return not_shown("it picks from rows by indices of others");
  }
  Shape dims(indices->dims->begin(), indices->dims->end() - 1);
  dims.insert(dims.end(), data->dims->begin() + static_cast<std::ptrdiff_t>(used),
              data->dims->end());
  return {BatchValue::batched(indices->axis, std::move(dims))};
}

RuleResult one_hot(const RuleNode& node) {
  const BatchValue* indices = node.input(0);
  if (indices == nullptr || !indices->is_batched() || !constant_from(node, 1)) {
    return not_shown("expected a batch as the first input and constants as the others");
  }
  const auto axis = normal_axis(node.integer("axis", -1), indices->rank() + 1);
  if (!axis) {
    return not_shown("its axis is out of range");
  }
  const auto depth = node.numbers(1, "");
  Shape dims = *indices->dims;
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(*axis),
              depth && depth->size() == 1 ? depth->front() : -1);
  return {BatchValue::batched(indices->axis + (*axis <= indices->axis ? 1 : 0), std::move(dims))};
}

}  // namespace

void add_pick_rules(BatchRules& rules) {
  rules["Gather"] = {gather, true};
  rules["GatherElements"] = {elements};
  rules["ScatterElements"] = {elements};
  rules["GatherND"] = {gather_nd};
  rules["OneHot"] = {one_hot};
}

}  // namespace onnxop
