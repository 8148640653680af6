#include "onnxop/train/spec.h"

namespace onnxop {
namespace {

struct Section {
  std::string_view name;
  std::vector<std::string_view> keys;
};

const std::vector<Section>& sections() {
  static const std::vector<Section> all = {
      {"spec", {"name", "data", "input", "layers", "train"}},
      {"data_mnist", {"kind", "validation", "split"}},
      {"data_idx",
       {"kind", "train_images", "train_labels", "test_images", "test_labels", "classes",
        "validation", "split"}},
      {"data_folder", {"kind", "train", "test", "validation", "split"}},
      {"data_csv", {"kind", "train", "test", "target", "validation", "split"}},
      {"input_image", {"width", "height", "color", "resize", "scale"}},
      {"input_features", {"standardize"}},
      {"Conv2D",
       {"filters", "kernel_size", "strides", "padding", "activation", "use_bias",
        "kernel_initializer"}},
      {"MaxPooling2D", {"pool_size", "strides", "padding"}},
      {"AveragePooling2D", {"pool_size", "strides", "padding"}},
      {"GlobalAveragePooling2D", {}},
      {"BatchNormalization", {"momentum", "epsilon"}},
      {"Activation", {"activation"}},
      {"ReLU", {}},
      {"LeakyReLU", {"negative_slope"}},
      {"ELU", {"alpha"}},
      {"Dropout", {"rate"}},
      {"Flatten", {}},
      {"Dense", {"units", "activation", "use_bias", "kernel_initializer"}},
      {"train",
       {"epochs", "batch_size", "seed", "precision", "loss", "optimizer", "schedule",
        "early_stopping", "augment", "threads"}},
      {"SGD", {"learning_rate", "momentum", "nesterov"}},
      {"RMSprop", {"learning_rate", "rho", "momentum", "epsilon"}},
      {"Adam", {"learning_rate", "beta_1", "beta_2", "epsilon"}},
      {"AdamW", {"learning_rate", "beta_1", "beta_2", "epsilon", "weight_decay"}},
      {"Adadelta", {"learning_rate", "rho", "epsilon"}},
      {"schedule_constant", {"kind", "warmup_epochs"}},
      {"schedule_step", {"kind", "warmup_epochs", "every_epochs", "factor"}},
      {"schedule_cosine", {"kind", "warmup_epochs", "final_factor"}},
      {"early_stopping", {"patience", "min_delta", "monitor"}},
      {"augment", {"shift", "rotate", "zoom"}},
  };
  return all;
}

}  // namespace

const std::vector<std::string_view>& spec_keys(std::string_view section) {
  static const std::vector<std::string_view> none;
  for (const auto& known : sections()) {
    if (known.name == section) {
      return known.keys;
    }
  }
  return none;
}

std::vector<std::string_view> spec_sections() {
  std::vector<std::string_view> names;
  for (const auto& known : sections()) {
    names.push_back(known.name);
  }
  return names;
}

}  // namespace onnxop
