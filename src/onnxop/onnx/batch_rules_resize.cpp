// Operators that pad or scale some dimensions.

#include <algorithm>
#include <utility>

#include "onnxop/onnx/batch_rules.h"

namespace onnxop {
namespace {

RuleResult pad(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->is_batched() || !constant_from(node, 1)) {
    return not_shown("expected a batch as the first input and constants as the others");
  }
  const auto pads = node.numbers(1, "pads");
  std::vector<std::int64_t> axes;
  bool given = false;
  if (const auto numbers = node.numbers(3, "", &given)) {
    axes = *numbers;
  } else {
    for (std::size_t i = 0; i < input->rank() && !given; ++i) {
      axes.push_back(static_cast<std::int64_t>(i));
    }
  }
  if (!pads || pads->size() != 2 * axes.size()) {
    return not_shown("its pads are not known");
  }
  Shape dims = *input->dims;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = normal_axis(axes[i], input->rank());
    const std::int64_t begin = (*pads)[i];
    const std::int64_t end = (*pads)[axes.size() + i];
    if (!axis || (*axis == input->axis && (begin != 0 || end != 0))) {
      return not_shown("it pads the batch dimension");
    }
    std::int64_t& size = dims[*axis];
    size = size < 0 || size + begin + end < 0 ? -1 : size + begin + end;
  }
  return {BatchValue::batched(input->axis, std::move(dims))};
}

/// What each dimension is scaled by or to; 1 and B leave the batch alone.
bool leaves_batch(const BatchValue& input, const BatchValue* scales, const BatchValue* sizes,
                  const std::vector<std::int64_t>& axes) {
  const auto number_of = [&](const BatchValue& list) -> std::optional<ShapeNumber> {
    if (!list.numbers || list.numbers->size() != axes.size()) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto axis = normal_axis(axes[i], input.rank());
      if (!axis) {
        return std::nullopt;
      }
      if (*axis == input.axis) {
        return (*list.numbers)[i];
      }
    }
    return scales != nullptr ? ShapeNumber::known(1) : ShapeNumber::batch();
  };
  if (scales != nullptr) {
    const auto number = number_of(*scales);
    return number && number->is_known(1);
  }
  const auto number = sizes != nullptr ? number_of(*sizes) : std::nullopt;
  return number && number->kind == ShapeNumber::Kind::kBatch;
}

bool is_given(const BatchValue* list) {
  return list != nullptr && !(list->dims && list->rank() == 1 && list->dims->front() == 0);
}

RuleResult resize(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->is_batched()) {
    return not_shown("expected a batch as the first input");
  }
  const bool old = node.op() == "Upsample" || node.opset() < 11;  // X, scales
  const BatchValue* scales = node.input(old ? 1 : 2);
  const BatchValue* sizes = old ? nullptr : node.input(3);
  scales = is_given(scales) ? scales : nullptr;
  sizes = is_given(sizes) ? sizes : nullptr;
  BatchValue own_scales;
  if (old && scales == nullptr && node.has_attribute("scales")) {
    std::vector<ShapeNumber> numbers;
    for (const float each : node.attribute<std::vector<float>>("scales", {})) {
      numbers.push_back(each == 1.0F ? ShapeNumber::known(1) : ShapeNumber::other());
    }
    own_scales = BatchValue::of_numbers(std::move(numbers), false);
    scales = &own_scales;
  }
  const bool crops =
      node.attribute<std::string>("coordinate_transformation_mode", "") == "tf_crop_and_resize";
  const bool keeps_ratio =
      node.attribute<std::string>("keep_aspect_ratio_policy", "stretch") != "stretch";
  auto axes = node.integers("axes");
  for (std::size_t i = 0; i < input->rank() && !node.has_attribute("axes"); ++i) {
    axes.push_back(static_cast<std::int64_t>(i));
  }
  if (crops || keeps_ratio || (scales == nullptr) == (sizes == nullptr) ||
      !leaves_batch(*input, scales, sizes, axes)) {
    return not_shown("it may scale the batch dimension");
  }
  return {BatchValue::batched(input->axis, Shape(input->rank(), -1))};
}

}  // namespace

void add_resize_rules(BatchRules& rules) {
  rules["Pad"] = {pad};
  rules["Resize"] = {resize, true};
  rules["Upsample"] = {resize};
}

}  // namespace onnxop
