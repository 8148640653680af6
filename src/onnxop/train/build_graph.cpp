#include "onnxop/train/build_graph.h"

#include <map>

#include "onnxop/base/error.h"
#include "onnxop/train/initialize.h"
#include "onnxop/train/layer_shapes.h"
#include "onnxop/train/spec_words.h"

namespace onnxop {
namespace {

Tensor filled(const Shape& shape, float value) {
  Tensor tensor(DType::kFloat32, shape);
  for (float& element : tensor.values<float>()) {
    element = value;
  }
  return tensor;
}

std::string keras_base_name(const LayerSpec& layer) {
  static const std::map<std::string, std::string> names = {
      {"Conv2D", "conv2d"},
      {"MaxPooling2D", "max_pooling2d"},
      {"AveragePooling2D", "average_pooling2d"},
      {"GlobalAveragePooling2D", "global_average_pooling2d"},
      {"BatchNormalization", "batch_normalization"},
      {"Activation", "activation"},
      {"ReLU", "re_lu"},
      {"LeakyReLU", "leaky_re_lu"},
      {"ELU", "elu"},
      {"Dropout", "dropout"},
      {"Flatten", "flatten"},
      {"Dense", "dense"},
  };
  return names.at(layer.keras_name);
}

class Builder {
 public:
  Builder(const TrainSpec& spec, const NetworkEnds& ends) : spec_(spec), ends_(ends) {
    graph_.name = spec.name;
    graph_.doc_string = format("Trained by onnxop: {} layers, input {}, {} outputs.",
                               spec.layers.size(), sample_text(ends.sample), ends.outputs);
  }

  Graph build() {
    check_network(spec_, ends_.sample, ends_.outputs);
    if (spec_.data.images()) {
      add_image_input();
    } else {
      add_feature_input();
    }
    const auto shapes = layer_shapes(spec_.layers, ends_.sample);
    in_ = ends_.sample;
    for (std::size_t i = 0; i < spec_.layers.size(); ++i) {
      layer_name_ = unique_name(keras_base_name(spec_.layers[i]));
      out_ = shapes[i];
      stream_ = i;
      std::visit([this](const auto& layer) { add(layer); }, spec_.layers[i].layer);
      in_ = out_;
    }
    add_output();
    return std::move(graph_);
  }

 private:
  void add_image_input() {
    GraphValue input;
    input.name = value_ = "image";
    input.shape = {{-1, "N"}, {ends_.sample[0], ""}, {ends_.sample[1], ""}, {ends_.sample[2], ""}};
    input.doc_string = format("Raw pixels, 0 to 255, [N, height, width, {}].",
                              spec_.input.color == ImageColor::kGray ? "1 (gray)" : "3 (RGB)");
    graph_.inputs.push_back(std::move(input));
    if (spec_.input.scale != 1.0) {
      // With the pixels' rank: where there is one channel, ONNX Runtime multiplies by a number
      // without dimensions one pixel at a time.
      add_initializer("scale", filled({1, 1, 1, 1}, static_cast<float>(spec_.input.scale)),
                      "Of each pixel.");
      add_node("Mul", "scaling", {value_, "scale"}, {},
               format("Pixels times {}.", spec_.input.scale));
    }
    add_node("Transpose", "channels_first", {value_},
             {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}},
             "[N, height, width, channels] to [N, channels, height, width].");
  }

  void add_feature_input() {
    GraphValue input;
    input.name = value_ = "features";
    input.shape = {{-1, "N"}, {ends_.sample[0], ""}};
    input.doc_string = format("Rows of {} features, as they stand in the data.", ends_.sample[0]);
    graph_.inputs.push_back(std::move(input));
    if (ends_.mean.empty()) {
      return;
    }
    std::vector<float> scale;
    for (const float deviation : ends_.std_dev) {
      scale.push_back(1.0F / deviation);
    }
    add_initializer("mean", Tensor::of<float>({ends_.sample[0]}, ends_.mean), "Of each feature.");
    add_initializer("inverse_deviation", Tensor::of<float>({ends_.sample[0]}, scale),
                    "Of each feature.");
    add_node("Sub", "centering", {value_, "mean"}, {}, "Features less the training samples' mean.");
    add_node("Mul", "scaling", {value_, "inverse_deviation"}, {},
             "Divided by their standard deviation.");
  }

  void add(const Conv2DLayer& conv) {
    const auto [height, width] = conv.kernel_size;
    const std::int64_t channels = in_[2];
    const std::int64_t window = height * width;
    add_initializer(
        layer_name_ + "/kernel",
        initial_kernel({conv.filters, channels, height, width}, window * channels,
                       window * conv.filters, conv.kernel_initializer, spec_.train.seed, stream_),
        "[filters, channels, height, width]");
    std::vector<std::string> inputs = {value_, layer_name_ + "/kernel"};
    add_bias(conv.use_bias, conv.filters, inputs);
    auto attributes = window_attributes(conv.kernel_size, conv.strides, conv.padding);
    add_node("Conv", layer_name_, inputs, std::move(attributes),
             describe("Conv2D", format("{} filters {}x{}", conv.filters, height, width)));
    add_activation(conv.activation);
  }

  void add(const Pooling2DLayer& pooling) {
    auto attributes = window_attributes(pooling.pool_size, pooling.strides, pooling.padding);
    if (!pooling.max) {
      attributes["count_include_pad"] = std::int64_t{0};
    }
    add_node(pooling.max ? "MaxPool" : "AveragePool", layer_name_, {value_}, std::move(attributes),
             describe(pooling.max ? "MaxPooling2D" : "AveragePooling2D",
                      format("{}x{}", pooling.pool_size[0], pooling.pool_size[1])));
  }

  void add(const GlobalAveragePooling2DLayer&) {
    add_node("GlobalAveragePool", layer_name_, {value_}, {},
             describe("GlobalAveragePooling2D", ""));
    add_node("Flatten", layer_name_ + "/flatten", {value_}, {{"axis", std::int64_t{1}}}, "");
  }

  void add(const BatchNormalizationLayer& layer) {
    const std::int64_t channels = in_.back();
    add_initializer(layer_name_ + "/gamma", filled({channels}, 1), "Scale.");
    add_initializer(layer_name_ + "/beta", filled({channels}, 0), "Offset.");
    add_initializer(layer_name_ + "/moving_mean", filled({channels}, 0), "Running mean.");
    add_initializer(layer_name_ + "/moving_variance", filled({channels}, 1), "Running variance.");
    add_node("BatchNormalization", layer_name_,
             {value_, layer_name_ + "/gamma", layer_name_ + "/beta", layer_name_ + "/moving_mean",
              layer_name_ + "/moving_variance"},
             {{"epsilon", static_cast<float>(layer.epsilon)},
              {"momentum", static_cast<float>(layer.momentum)}},
             describe("BatchNormalization", format("over {} channels", channels)));
  }

  void add(const ActivationLayer& layer) {
    if (layer.activation.kind != ActivationKind::kLinear) {
      add_activation_node(layer.activation, layer_name_);
    }
  }

  void add(const DropoutLayer& layer) {
    if (layer.rate > 0) {
      add_initializer(layer_name_ + "/rate", filled({}, static_cast<float>(layer.rate)), "");
      add_node("Dropout", layer_name_, {value_, layer_name_ + "/rate"}, {},
               describe("Dropout", format("of {}", layer.rate)));
    }
  }

  void add(const FlattenLayer&) {
    if (in_.size() == 3) {
      add_node("Flatten", layer_name_, {value_}, {{"axis", std::int64_t{1}}},
               describe("Flatten", "channels first"));
    }
  }

  void add(const DenseLayer& dense) {
    add_initializer(layer_name_ + "/kernel",
                    initial_kernel({dense.units, in_[0]}, in_[0], dense.units,
                                   dense.kernel_initializer, spec_.train.seed, stream_),
                    "[units, features]");
    std::vector<std::string> inputs = {value_, layer_name_ + "/kernel"};
    add_bias(dense.use_bias, dense.units, inputs);
    add_node("Gemm", layer_name_, inputs, {{"transB", std::int64_t{1}}},
             describe("Dense", format("{} units", dense.units)));
    add_activation(dense.activation);
  }

  void add_bias(bool use_bias, std::int64_t size, std::vector<std::string>& inputs) {
    if (use_bias) {
      add_initializer(layer_name_ + "/bias", filled({size}, 0), "");
      inputs.push_back(layer_name_ + "/bias");
    }
  }

  void add_activation(const Activation& activation) {
    if (activation.kind != ActivationKind::kLinear) {
      const std::string_view word = word_of(kActivations, activation.kind);
      add_activation_node(activation, format("{}/{}", layer_name_, word));
    }
  }

  void add_activation_node(const Activation& activation, const std::string& name) {
    const auto alpha = static_cast<float>(activation.alpha);
    switch (activation.kind) {
      case ActivationKind::kLinear:
        return;
      case ActivationKind::kRelu:
        return add_node("Relu", name, {value_}, {}, "");
      case ActivationKind::kLeakyRelu:
        return add_node("LeakyRelu", name, {value_}, {{"alpha", alpha}}, "");
      case ActivationKind::kElu:
        return add_node("Elu", name, {value_}, {{"alpha", alpha}}, "");
      case ActivationKind::kSigmoid:
        return add_node("Sigmoid", name, {value_}, {}, "");
      case ActivationKind::kTanh:
        return add_node("Tanh", name, {value_}, {}, "");
      case ActivationKind::kSoftmax:
        return add_node("Softmax", name, {value_}, {{"axis", std::int64_t{1}}}, "");
    }
  }

  std::map<std::string, AttributeValue> window_attributes(
      const std::array<std::int64_t, 2>& size, const std::array<std::int64_t, 2>& strides,
      PaddingKind padding) const {
    const auto rows = apply_window(in_[0], size[0], strides[0], padding);
    const auto columns = apply_window(in_[1], size[1], strides[1], padding);
    return {{"kernel_shape", std::vector<std::int64_t>{size[0], size[1]}},
            {"strides", std::vector<std::int64_t>{strides[0], strides[1]}},
            {"pads",
             std::vector<std::int64_t>{rows.before, columns.before, rows.after, columns.after}}};
  }

  void add_output() {
    const bool classes = spec_.train.loss == LossKind::kCategoricalCrossentropy;
    GraphValue output;
    output.name = classes ? "probabilities" : "values";
    output.shape = {{-1, "N"}, {ends_.outputs, ""}};
    output.doc_string = ends_.labels.empty()
                            ? format("{} predicted.", classes ? "Probabilities" : "Values")
                            : format("Probabilities of: {}.", join(ends_.labels, ", "));
    graph_.nodes.back().outputs[0] = output.name;
    graph_.outputs.push_back(std::move(output));
  }

  void add_node(const std::string& op_type, const std::string& name,
                std::vector<std::string> inputs, std::map<std::string, AttributeValue> attributes,
                std::string doc_string) {
    GraphNode node;
    node.op_type = op_type;
    node.name = name;
    node.inputs = std::move(inputs);
    node.outputs = {name + "/output"};
    node.attributes = std::move(attributes);
    node.doc_string = std::move(doc_string);
    value_ = node.outputs[0];
    graph_.nodes.push_back(std::move(node));
  }

  void add_initializer(const std::string& name, Tensor tensor, std::string doc_string) {
    graph_.initializers.push_back({name, std::move(tensor), std::move(doc_string)});
  }

  std::string unique_name(const std::string& base) {
    const int before = used_[base]++;
    return before == 0 ? base : format("{}_{}", base, before);
  }

  std::string describe(std::string_view layer, const std::string& details) const {
    return format("{}{}{}: {} -> {}", layer, details.empty() ? "" : " ", details, sample_text(in_),
                  sample_text(out_));
  }

  const TrainSpec& spec_;
  const NetworkEnds& ends_;
  Graph graph_;
  std::string value_;       // what the next node reads
  std::string layer_name_;  // of the layer being added
  Shape in_, out_;          // of the layer being added, in Keras's order
  std::uint64_t stream_ = 0;
  std::map<std::string, int> used_;
};

}  // namespace

Graph build_graph(const TrainSpec& spec, const NetworkEnds& ends) {
  return Builder(spec, ends).build();
}

}  // namespace onnxop
