#include "onnxop/train/spec_layers.h"

#include <algorithm>
#include <functional>

#include "onnxop/base/error.h"
#include "onnxop/train/spec_words.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMaxSize = 1'000'000;
constexpr double kMaxNumber = 1e9;
constexpr double kBelowOne = 1 - 1e-9;
constexpr double kSmallestRate = 1e-12;

/// `Name` or `{Name: {…}}` taken apart.
struct Named {
  std::string name;
  std::string where;
  SpecNode body;
};

Named take_named(const SpecNode& node, const std::string& path, const std::string& example) {
  if (node.kind == SpecNode::Kind::kScalar) {
    SpecNode empty;
    empty.where = node.where;
    return {node.text, node.where, empty};
  }
  if (node.kind == SpecNode::Kind::kMap && node.keys.size() == 1) {
    return {node.keys[0], node.keys_where[0], node.items[0]};
  }
  fail(ErrorCode::kInvalidArgument, "{}: {}: expected one name with its options, as {}, got {}",
       node.where, path, example, describe_node(node));
}

Activation make_activation(ActivationKind kind) {
  const bool leaky = kind == ActivationKind::kLeakyRelu;
  return {kind, leaky ? 0.2 : kind == ActivationKind::kElu ? 1.0 : 0.0};
}

Activation read_activation(const SpecMap& map) {
  return make_activation(map.choice("activation", ActivationKind::kLinear, kActivations));
}

Conv2DLayer read_conv(const SpecMap& map) {
  Conv2DLayer layer;
  layer.filters = map.require_integer("filters", 1, kMaxSize);
  layer.kernel_size = map.pair(map.require("kernel_size"), "kernel_size", 1, 1000);
  if (const SpecNode* strides = map.find("strides")) {
    layer.strides = map.pair(*strides, "strides", 1, 1000);
  }
  layer.padding = map.choice("padding", PaddingKind::kValid, kPaddings);
  layer.activation = read_activation(map);
  layer.use_bias = map.flag("use_bias", true);
  layer.kernel_initializer =
      map.choice("kernel_initializer", InitializerKind::kGlorotUniform, kInitializers);
  return layer;
}

Pooling2DLayer read_pooling(const SpecMap& map, bool max) {
  Pooling2DLayer layer;
  layer.max = max;
  if (const SpecNode* size = map.find("pool_size")) {
    layer.pool_size = map.pair(*size, "pool_size", 1, 1000);
  }
  const SpecNode* strides = map.find("strides");
  layer.strides = strides == nullptr ? layer.pool_size : map.pair(*strides, "strides", 1, 1000);
  layer.padding = map.choice("padding", PaddingKind::kValid, kPaddings);
  return layer;
}

DenseLayer read_dense(const SpecMap& map) {
  DenseLayer layer;
  layer.units = map.require_integer("units", 1, kMaxSize);
  layer.activation = read_activation(map);
  layer.use_bias = map.flag("use_bias", true);
  layer.kernel_initializer =
      map.choice("kernel_initializer", InitializerKind::kGlorotUniform, kInitializers);
  return layer;
}

BatchNormalizationLayer read_batch_normalization(const SpecMap& map) {
  BatchNormalizationLayer layer;
  layer.momentum = map.number("momentum", layer.momentum, 0, kBelowOne);
  layer.epsilon = map.number("epsilon", layer.epsilon, 1e-12, 1);
  return layer;
}

using AnyLayer = decltype(LayerSpec::layer);

struct LayerReader {
  std::string_view name;
  std::function<AnyLayer(const SpecMap&)> read;
};

const std::vector<LayerReader>& layer_readers() {
  static const std::vector<LayerReader> readers = {
      {"Conv2D", read_conv},
      {"MaxPooling2D", [](const SpecMap& map) { return read_pooling(map, true); }},
      {"AveragePooling2D", [](const SpecMap& map) { return read_pooling(map, false); }},
      {"GlobalAveragePooling2D", [](const SpecMap&) { return GlobalAveragePooling2DLayer{}; }},
      {"BatchNormalization", read_batch_normalization},
      {"Activation",
       [](const SpecMap& map) {
         map.require("activation");
         return ActivationLayer{read_activation(map)};
       }},
      {"ReLU",
       [](const SpecMap&) { return ActivationLayer{make_activation(ActivationKind::kRelu)}; }},
      {"LeakyReLU",
       [](const SpecMap& map) {
         return ActivationLayer{
             {ActivationKind::kLeakyRelu, map.number("negative_slope", 0.3, 0, 1)}};
       }},
      {"ELU",
       [](const SpecMap& map) {
         return ActivationLayer{{ActivationKind::kElu, map.number("alpha", 1.0, 0, kMaxNumber)}};
       }},
      {"Dropout",
       [](const SpecMap& map) {
         map.require("rate");
         return DropoutLayer{map.number("rate", 0, 0, 0.999)};
       }},
      {"Flatten", [](const SpecMap&) { return FlattenLayer{}; }},
      {"Dense", read_dense},
  };
  return readers;
}

LayerSpec parse_layer(const SpecNode& node, std::size_t number) {
  const std::string path = format("layer {}", number);
  const Named named = take_named(node, path, "Conv2D: {filters: 16, kernel_size: 3}");
  std::vector<std::string_view> names;
  for (const auto& reader : layer_readers()) {
    if (reader.name == named.name) {
      const SpecMap map(named.body, reader.name, format("{} {}", path, named.name));
      return {named.name, reader.read(map), named.where};
    }
    names.push_back(reader.name);
  }
  fail_unknown(named.where, "layer", named.name, names);
}

}  // namespace

std::vector<LayerSpec> parse_layers(const SpecNode& list) {
  if (list.kind != SpecNode::Kind::kList || list.items.empty()) {
    fail(ErrorCode::kInvalidArgument, "{}: layers: expected a list of layers, got {}", list.where,
         describe_node(list));
  }
  std::vector<LayerSpec> layers;
  for (const auto& item : list.items) {
    layers.push_back(parse_layer(item, layers.size() + 1));
  }
  return layers;
}

OptimizerSpec parse_optimizer(const SpecNode& node) {
  const Named named = take_named(node, "train.optimizer", "Adam: {learning_rate: 0.001}");
  std::vector<std::string_view> names;
  for (const auto& [name, kind] : kOptimizers) {
    names.push_back(name);
  }
  OptimizerSpec spec;
  const auto at = std::find(names.begin(), names.end(), named.name);
  if (at == names.end()) {
    fail_unknown(named.where, "optimizer", named.name, names);
  }
  spec.kind = kOptimizers[static_cast<std::size_t>(at - names.begin())].second;
  const SpecMap map(named.body, named.name, "train.optimizer " + named.name);
  const bool adadelta = spec.kind == OptimizerKind::kAdadelta;
  spec.learning_rate = map.number("learning_rate", spec.kind == OptimizerKind::kSgd ? 0.01 : 0.001,
                                  kSmallestRate, kMaxNumber);
  spec.momentum = map.number("momentum", spec.momentum, 0, 1);
  spec.nesterov = map.flag("nesterov", spec.nesterov);
  spec.rho = map.number("rho", adadelta ? 0.95 : 0.9, 0, kBelowOne);
  spec.beta_1 = map.number("beta_1", spec.beta_1, 0, kBelowOne);
  spec.beta_2 = map.number("beta_2", spec.beta_2, 0, kBelowOne);
  spec.epsilon = map.number("epsilon", spec.epsilon, 1e-30, 1);
  spec.weight_decay = map.number("weight_decay", spec.weight_decay, 0, 1);
  if (spec.nesterov && spec.momentum == 0) {
    fail(ErrorCode::kInvalidArgument, "{}: train.optimizer SGD: nesterov needs a momentum over 0",
         named.where);
  }
  return spec;
}

}  // namespace onnxop
