#include "onnxop/train/layer_shapes.h"

#include <algorithm>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

/// One layer applied to a shape.
class LayerShape {
 public:
  LayerShape(const LayerSpec& layer, std::size_t number, const Shape& input)
      : layer_(layer), number_(number), input_(input) {}

  Shape operator()(const Conv2DLayer& conv) const {
    need_image();
    Shape shape = window(conv.kernel_size, conv.strides, conv.padding, "kernel");
    shape[2] = conv.filters;
    check_activation(conv.activation);
    return shape;
  }
  Shape operator()(const Pooling2DLayer& pooling) const {
    need_image();
    return window(pooling.pool_size, pooling.strides, pooling.padding, "pool");
  }
  Shape operator()(const GlobalAveragePooling2DLayer&) const {
    need_image();
    return {input_[2]};
  }
  Shape operator()(const FlattenLayer&) const {
    return input_.size() == 3 ? Shape{element_count(input_)} : input_;
  }
  Shape operator()(const DenseLayer& dense) const {
    if (input_.size() == 3) {
      fail_here(format("its input is {}; put Flatten or GlobalAveragePooling2D before it",
                       sample_text(input_)));
    }
    return {dense.units};
  }
  Shape operator()(const ActivationLayer& activation) const {
    check_activation(activation.activation);
    return input_;
  }
  Shape operator()(const BatchNormalizationLayer&) const { return input_; }
  Shape operator()(const DropoutLayer&) const { return input_; }

 private:
  [[noreturn]] void fail_here(const std::string& what) const {
    fail(ErrorCode::kInvalidArgument, "{}: layer {} {}: {}", layer_.where, number_,
         layer_.keras_name, what);
  }
  void need_image() const {
    if (input_.size() != 3) {
      fail_here(format("its input must be an image (height x width x channels), but is {}",
                       sample_text(input_)));
    }
  }
  void check_activation(const Activation& activation) const {
    if (activation.kind == ActivationKind::kSoftmax && input_.size() == 3) {
      fail_here(
          format("softmax of an image ({}) is not supported; it belongs to the last Dense layer",
                 sample_text(input_)));
    }
  }
  Shape window(const std::array<std::int64_t, 2>& size, const std::array<std::int64_t, 2>& strides,
               PaddingKind padding, std::string_view what) const {
    const auto height = apply_window(input_[0], size[0], strides[0], padding).size;
    const auto width = apply_window(input_[1], size[1], strides[1], padding).size;
    if (height < 1 || width < 1) {
      fail_here(format("{} {}x{} does not fit its input {}", what, size[0], size[1],
                       sample_text(input_)));
    }
    return {height, width, input_[2]};
  }

  const LayerSpec& layer_;
  std::size_t number_;
  const Shape& input_;
};

const Activation* activation_of(const LayerSpec& layer) {
  if (const auto* dense = std::get_if<DenseLayer>(&layer.layer)) {
    return &dense->activation;
  }
  if (const auto* activation = std::get_if<ActivationLayer>(&layer.layer)) {
    return &activation->activation;
  }
  return nullptr;
}

bool is_softmax(const LayerSpec& layer) {
  const Activation* activation = activation_of(layer);
  return activation != nullptr && activation->kind == ActivationKind::kSoftmax;
}

bool has_kernel(const LayerSpec& layer) {
  return std::holds_alternative<DenseLayer>(layer.layer) ||
         std::holds_alternative<Conv2DLayer>(layer.layer);
}

[[noreturn]] void fail_layer(const std::vector<LayerSpec>& layers, std::size_t index,
                             const std::string& what) {
  fail(ErrorCode::kInvalidArgument, "{}: layer {} {}: {}", layers[index].where, index + 1,
       layers[index].keras_name, what);
}

}  // namespace

WindowResult apply_window(std::int64_t size, std::int64_t window, std::int64_t stride,
                          PaddingKind padding) {
  if (padding == PaddingKind::kValid) {
    return {size < window ? 0 : (size - window) / stride + 1, 0, 0};
  }
  const std::int64_t result = (size + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>((result - 1) * stride + window - size, 0);
  return {result, total / 2, total - total / 2};
}

std::string sample_text(const Shape& shape) {
  if (shape.size() == 1) {
    return shape[0] < 0 ? "a row of features" : format("{} features", shape[0]);
  }
  return format("{}", join(shape, "x"));
}

std::vector<Shape> layer_shapes(const std::vector<LayerSpec>& layers, const Shape& sample) {
  std::vector<Shape> shapes;
  Shape current = sample;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    current = std::visit(LayerShape(layers[i], i + 1, current), layers[i].layer);
    shapes.push_back(current);
  }
  return shapes;
}

void check_network(const TrainSpec& spec, const Shape& sample, std::int64_t outputs) {
  const auto& layers = spec.layers;
  const Shape shape = layer_shapes(layers, sample).back();
  const std::size_t last = layers.size() - 1;
  const bool classes = spec.train.loss == LossKind::kCategoricalCrossentropy;
  const std::string_view noun = classes ? "classes" : "target columns";
  if (shape.size() != 1) {
    fail_layer(layers, last,
               format("the last layer must give one value for each of the {}, but gives {}", noun,
                      sample_text(shape)));
  }
  if (outputs >= 0 && shape[0] >= 0 && shape[0] != outputs) {
    fail_layer(
        layers, last,
        format("the last layer gives {} values, but the data has {} {}", shape[0], outputs, noun));
  }
  if (std::none_of(layers.begin(), layers.end(), has_kernel)) {
    fail_layer(layers, last,
               "there is nothing to train; a network needs a Dense or a Conv2D layer");
  }
  for (std::size_t i = 0; i < last; ++i) {
    if (is_softmax(layers[i])) {
      fail_layer(layers, i, "softmax belongs to the last layer only");
    }
  }
  if (classes && !is_softmax(layers[last])) {
    fail_layer(layers, last,
               "categorical_crossentropy needs softmax as the activation of the last layer");
  }
  if (std::holds_alternative<DropoutLayer>(layers[last].layer)) {
    fail_layer(layers, last, "Dropout must not be the last layer");
  }
  if (!classes && is_softmax(layers[last])) {
    fail_layer(layers, last,
               "mean_squared_error learns numbers; the last layer must not be softmax");
  }
}

}  // namespace onnxop
