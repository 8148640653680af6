// Convolutions, pooling and normalization: samples stay apart where the batch is dimension 0 and
// what they are combined with is constant.

#include <algorithm>
#include <utility>

#include "onnxop/onnx/batch_rules.h"

namespace onnxop {
namespace {

/// Whether input 0 is batched along dimension 0 with at least `least_rank` dimensions and all
/// others are constants; otherwise why not.
std::optional<std::string> samples_problem(const RuleNode& node, std::size_t least_rank) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->is_batched() || !constant_from(node, 1)) {
    return "expected a batch as the first input and constants as the others";
  }
  if (input->axis != 0) {
    return format("its input's batch is dimension {}, expected dimension 0", input->axis);
  }
  if (input->rank() < least_rank) {
    return format("its input has {} dimensions, expected at least {}", input->rank(), least_rank);
  }
  return std::nullopt;
}

/// A sliding window's parameters along one dimension.
struct Window {
  std::int64_t kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;
};

/// -1 where it is not known.
std::int64_t window_output(std::int64_t size, const Window& window, const std::string& auto_pad) {
  if (size < 0 || window.kernel < 1 || window.stride < 1 || window.dilation < 1) {
    return -1;
  }
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
    return (size + window.stride - 1) / window.stride;
  }
  const bool valid = auto_pad == "VALID";
  const std::int64_t padded = size + (valid ? 0 : window.pad_begin + window.pad_end);
  const std::int64_t left = padded - (window.dilation * (window.kernel - 1) + 1);
  return left < 0 ? -1 : left / window.stride + 1;
}

/// The sizes after dimension 1 of a convolution's or a pooling's output.
Shape window_sizes(const RuleNode& node, const Shape& input,
                   const std::vector<std::int64_t>& kernel) {
  const std::size_t count = input.size() - 2;
  Shape sizes(count, -1);
  const auto strides = node.integers("strides");
  const auto dilations = node.integers("dilations");
  const auto pads = node.integers("pads");
  const auto fits = [count](const std::vector<std::int64_t>& list, std::size_t times) {
    return list.empty() || list.size() == count * times;
  };
  if (kernel.size() != count || !fits(strides, 1) || !fits(dilations, 1) || !fits(pads, 2) ||
      node.integer("ceil_mode", 0) != 0) {
    return sizes;
  }
  const std::string auto_pad = node.attribute<std::string>("auto_pad", "NOTSET");
  for (std::size_t i = 0; i < count; ++i) {
    Window window;
    window.kernel = kernel[i];
    window.stride = strides.empty() ? 1 : strides[i];
    window.dilation = dilations.empty() ? 1 : dilations[i];
    window.pad_begin = pads.empty() ? 0 : pads[i];
    window.pad_end = pads.empty() ? 0 : pads[count + i];
    sizes[i] = window_output(input[2 + i], window, auto_pad);
  }
  return sizes;
}

RuleResult conv(const RuleNode& node) {
  if (const auto problem = samples_problem(node, 3)) {
    return not_shown("{}", *problem);
  }
  const BatchValue& input = *node.input(0);
  const BatchValue* weights = node.input(node.op() == "QLinearConv" ? 3 : 1);
  Shape dims(input.rank(), -1);
  if (weights != nullptr && weights->dims && weights->rank() == input.rank()) {
    const Shape& kernel = *weights->dims;
    dims[1] = kernel[0];
    const Shape sizes = window_sizes(node, *input.dims, {kernel.begin() + 2, kernel.end()});
    std::copy(sizes.begin(), sizes.end(), dims.begin() + 2);
  }
  return {BatchValue::batched(0, std::move(dims))};
}

RuleResult conv_transpose(const RuleNode& node) {
  if (const auto problem = samples_problem(node, 3)) {
    return not_shown("{}", *problem);
  }
  return {BatchValue::batched(0, Shape(node.input(0)->rank(), -1))};
}

RuleResult pool(const RuleNode& node) {
  if (const auto problem = samples_problem(node, 3)) {
    return not_shown("{}", *problem);
  }
  const BatchValue& input = *node.input(0);
  Shape dims = *input.dims;
  const Shape sizes = window_sizes(node, dims, node.integers("kernel_shape"));
  std::copy(sizes.begin(), sizes.end(), dims.begin() + 2);
  RuleResult result{BatchValue::batched(0, std::move(dims))};
  // Of MaxPool: positions in the whole input, so they count the samples before.
  result.push_back(BatchValue::unknown("its indices depend on the place in the batch"));
  return result;
}

RuleResult global_pool(const RuleNode& node) {
  if (const auto problem = samples_problem(node, 3)) {
    return not_shown("{}", *problem);
  }
  Shape dims = *node.input(0)->dims;
  std::fill(dims.begin() + 2, dims.end(), 1);
  return {BatchValue::batched(0, std::move(dims))};
}

RuleResult same_shape_of_samples(const RuleNode& node) {
  if (const auto problem = samples_problem(node, 2)) {
    return not_shown("{}", *problem);
  }
  return {*node.input(0)};
}

RuleResult batch_normalization(const RuleNode& node) {
  if (node.integer("training_mode", 0) != 0 || node.has_output(1)) {
    return not_shown("it is in training mode: its mean and variance are the batch's");
  }
  return same_shape_of_samples(node);
}

RuleResult mean_variance(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->is_batched()) {
    return not_shown("expected a batch as its input");
  }
  auto axes = node.integers("axes");
  if (axes.empty()) {
    axes = {0, 2, 3};
  }
  for (const std::int64_t each : axes) {
    const auto axis = normal_axis(each, input->rank());
    if (!axis || *axis == input->axis) {
      return not_shown("it normalizes over the batch dimension");
    }
  }
  return {*input};
}

RuleResult lp_normalization(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->is_batched()) {
    return not_shown("expected a batch as its input");
  }
  const auto axis = normal_axis(node.integer("axis", -1), input->rank());
  if (!axis || *axis == input->axis) {
    return not_shown("it normalizes over the batch dimension");
  }
  return {*input};
}

/// LayerNormalization: over the axis and all behind it; RMSNormalization alike.
RuleResult layer_normalization(const RuleNode& node) {
  const BatchValue* input = node.input(0);
  if (input == nullptr || !input->is_batched() || !constant_from(node, 1)) {
    return not_shown("expected a batch as the first input and constants as the others");
  }
  const auto axis = normal_axis(node.integer("axis", -1), input->rank());
  if (!axis || *axis <= input->axis) {
    return not_shown("it normalizes over the batch dimension");
  }
  const BatchValue scaled = broadcast(node.inputs());
  if (scaled.is_unknown() || scaled.axis != input->axis || scaled.rank() != input->rank()) {
    return not_shown("its scale or bias meets the batch dimension");
  }
  Shape means = *input->dims;
  std::fill(means.begin() + static_cast<std::ptrdiff_t>(*axis), means.end(), 1);
  const BatchValue mean = BatchValue::batched(input->axis, means);
  return {*input, mean, mean};
}

/// [B, C, H, W] and a block of pixels to channels, or back.
RuleResult depth_and_space(const RuleNode& node) {
  if (const auto problem = samples_problem(node, 4)) {
    return not_shown("{}", *problem);
  }
  return {BatchValue::batched(0, Shape(4, -1))};
}

/// Images [B, C, …] sampled at the places of a grid [B, …].
RuleResult grid_sample(const RuleNode& node) {
  for (std::size_t i : {0U, 1U}) {
    const BatchValue* input = node.input(i);
    if (input == nullptr || !input->is_batched() || input->axis != 0) {
      return not_shown("expected both inputs with the batch as dimension 0");
    }
  }
  return {BatchValue::batched(0, Shape(node.input(0)->rank(), -1))};
}

}  // namespace

void add_layer_rules(BatchRules& rules) {
  for (const char* op : {"Conv", "ConvInteger", "QLinearConv"}) {
    rules[op] = {conv};
  }
  rules["ConvTranspose"] = {conv_transpose};
  for (const char* op : {"MaxPool", "AveragePool", "LpPool"}) {
    rules[op] = {pool};
  }
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"}) {
    rules[op] = {global_pool};
  }
  for (const char* op : {"LRN", "InstanceNormalization", "GroupNormalization"}) {
    rules[op] = {same_shape_of_samples};
  }
  rules["BatchNormalization"] = {batch_normalization};
  rules["MeanVarianceNormalization"] = {mean_variance};
  rules["LpNormalization"] = {lp_normalization};
  rules["LayerNormalization"] = {layer_normalization};
  rules["RMSNormalization"] = {layer_normalization};
  rules["DepthToSpace"] = {depth_and_space};
  rules["SpaceToDepth"] = {depth_and_space};
  rules["GridSample"] = {grid_sample};
}

}  // namespace onnxop
