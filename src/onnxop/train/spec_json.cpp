#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/sha256.h"
#include "onnxop/train/spec_words.h"

namespace onnxop {
namespace {

Json data_json(const DataSpec& data) {
  Json json = {{"kind", word_of(kDataKinds, data.kind)}};
  if (data.kind == DataKind::kIdx) {
    json["train_images"] = data.train_images.string();
    json["train_labels"] = data.train_labels.string();
    json["test_images"] = data.test_images.string();
    json["test_labels"] = data.test_labels.string();
    json["classes"] = data.classes;
  } else if (data.kind != DataKind::kMnist) {
    json["train"] = data.train_images.string();
    json["test"] = data.test_images.string();
  }
  if (data.kind == DataKind::kCsv) {
    json["target"] = data.target;
  }
  if (data.validation_samples > 0) {
    json["validation"] = data.validation_samples;
  } else {
    json["validation"] = data.validation_fraction;
  }
  json["split"] = word_of(kSplitKinds, data.split);
  return json;
}

Json input_json(const TrainSpec& spec) {
  const InputSpec& input = spec.input;
  if (!spec.data.images()) {
    return {{"standardize", input.standardize}};
  }
  return {{"width", input.width},
          {"height", input.height},
          {"color", word_of(kColors, input.color)},
          {"resize", word_of(kResizes, input.resize)},
          {"scale", input.scale}};
}

struct LayerJson {
  Json operator()(const Conv2DLayer& conv) const {
    return {{"filters", conv.filters},
            {"kernel_size", conv.kernel_size},
            {"strides", conv.strides},
            {"padding", word_of(kPaddings, conv.padding)},
            {"activation", word_of(kActivations, conv.activation.kind)},
            {"use_bias", conv.use_bias},
            {"kernel_initializer", word_of(kInitializers, conv.kernel_initializer)}};
  }
  Json operator()(const Pooling2DLayer& pooling) const {
    return {{"pool_size", pooling.pool_size},
            {"strides", pooling.strides},
            {"padding", word_of(kPaddings, pooling.padding)}};
  }
  Json operator()(const GlobalAveragePooling2DLayer&) const { return Json::object(); }
  Json operator()(const BatchNormalizationLayer& layer) const {
    return {{"momentum", layer.momentum}, {"epsilon", layer.epsilon}};
  }
  Json operator()(const ActivationLayer& layer) const {
    if (keras_name == "Activation") {
      return {{"activation", word_of(kActivations, layer.activation.kind)}};
    }
    if (keras_name == "LeakyReLU") {
      return {{"negative_slope", layer.activation.alpha}};
    }
    return keras_name == "ELU" ? Json{{"alpha", layer.activation.alpha}} : Json::object();
  }
  Json operator()(const DropoutLayer& layer) const { return {{"rate", layer.rate}}; }
  Json operator()(const FlattenLayer&) const { return Json::object(); }
  Json operator()(const DenseLayer& dense) const {
    return {{"units", dense.units},
            {"activation", word_of(kActivations, dense.activation.kind)},
            {"use_bias", dense.use_bias},
            {"kernel_initializer", word_of(kInitializers, dense.kernel_initializer)}};
  }

  const std::string& keras_name;
};

Json optimizer_json(const OptimizerSpec& spec) {
  const Json all = {{"learning_rate", spec.learning_rate},
                    {"momentum", spec.momentum},
                    {"nesterov", spec.nesterov},
                    {"rho", spec.rho},
                    {"beta_1", spec.beta_1},
                    {"beta_2", spec.beta_2},
                    {"epsilon", spec.epsilon},
                    {"weight_decay", spec.weight_decay}};
  const std::string name(word_of(kOptimizers, spec.kind));
  Json used = Json::object();
  for (const auto key : spec_keys(name)) {
    used[std::string(key)] = all.at(std::string(key));
  }
  Json json = Json::object();
  json[name] = std::move(used);
  return json;
}

Json schedule_json(const ScheduleSpec& spec) {
  const std::string word(word_of(kSchedules, spec.kind));
  const Json all = {{"kind", word},
                    {"warmup_epochs", spec.warmup_epochs},
                    {"every_epochs", spec.every_epochs},
                    {"factor", spec.factor},
                    {"final_factor", spec.final_factor}};
  Json used = Json::object();
  for (const auto key : spec_keys("schedule_" + word)) {
    used[std::string(key)] = all.at(std::string(key));
  }
  return used;
}

Json training_json(const TrainSpec& spec) {
  const TrainingSpec& train = spec.train;
  Json json = {{"epochs", train.epochs},
               {"batch_size", train.batch_size},
               {"seed", train.seed},
               {"precision", word_of(kPrecisions, train.precision)},
               {"loss", word_of(kLosses, train.loss)},
               {"optimizer", optimizer_json(train.optimizer)},
               {"schedule", schedule_json(train.schedule)}};
  if (train.early_stopping) {
    json["early_stopping"] = {{"patience", train.early_stopping->patience},
                              {"min_delta", train.early_stopping->min_delta},
                              {"monitor", word_of(kMonitors, train.early_stopping->monitor)}};
  }
  if (spec.data.images()) {
    json["augment"] = {{"shift", train.augment.shift},
                       {"rotate", train.augment.rotate},
                       {"zoom", train.augment.zoom}};
  }
  json["threads"] = train.threads;
  return json;
}

}  // namespace

Json spec_to_json(const TrainSpec& spec) {
  Json layers = Json::array();
  for (const auto& layer : spec.layers) {
    Json one = Json::object();
    one[layer.keras_name] = std::visit(LayerJson{layer.keras_name}, layer.layer);
    layers.push_back(std::move(one));
  }
  return {{"name", spec.name},
          {"data", data_json(spec.data)},
          {"input", input_json(spec)},
          {"layers", std::move(layers)},
          {"train", training_json(spec)}};
}

std::string spec_sha256(const TrainSpec& spec) {
  Json json = spec_to_json(spec);
  for (const auto key :
       {"train", "test", "train_images", "train_labels", "test_images", "test_labels"}) {
    json["data"].erase(key);
  }
  json["train"].erase("threads");
  return sha256_hex(as_bytes(dump_json(json)));
}

}  // namespace onnxop
