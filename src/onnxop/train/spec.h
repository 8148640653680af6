#pragma once
// TrainSpec: what an experiment is, as read from its YAML file: data, input, layers, training.
// Layers, optimizers, initializers and their defaults are Keras 3's. docs/spec.md describes every
// key, docs/spec.schema.json is its schema. Plain values; safe to read from any thread.

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "onnxop/base/json.h"
#include "onnxop/nn/network.h"
#include "onnxop/onnx/contract.h"

namespace onnxop {

enum class DataKind { kMnist, kIdx, kFolder, kCsv };

/// Which training samples are kept apart for validation.
enum class SplitKind {
  kLast,    // the last ones, in the files' order
  kRandom,  // drawn at random, the same ones for every seed
};

struct DataSpec {
  DataKind kind = DataKind::kMnist;
  // Absolute. kIdx: images and labels of both splits; kFolder and kCsv: train_images and
  // test_images are the folders or files, the labels are unused; kMnist: none.
  std::filesystem::path train_images, train_labels, test_images, test_labels;
  int classes = 10;                 // kMnist and kIdx; the others count them in the data
  std::vector<std::string> target;  // kCsv: the target columns
  SplitKind split = SplitKind::kLast;
  std::int64_t validation_samples = 0;  // 0: validation_fraction counts
  double validation_fraction = 0;       // of the training samples, over 0 and below 1

  /// Images, not rows of features.
  bool images() const { return kind != DataKind::kCsv; }
};

struct InputSpec {
  int width = 0;   // pixels; images only
  int height = 0;  // pixels; images only
  ImageColor color = ImageColor::kGray;
  ImageResize resize = ImageResize::kArea;
  double scale = 1.0;  // each pixel or feature is multiplied by it, as a node of the graph
  bool standardize =
      false;  // features only: (x - mean) / standard deviation of the training samples, as nodes

  std::int64_t channels() const { return color == ImageColor::kGray ? 1 : 3; }
};

enum class ActivationKind { kLinear, kRelu, kLeakyRelu, kElu, kSigmoid, kTanh, kSoftmax };

struct Activation {
  ActivationKind kind = ActivationKind::kLinear;
  double alpha = 0;  // slope below 0 of leaky ReLU, scale below 0 of ELU
};

enum class InitializerKind { kGlorotUniform, kGlorotNormal, kHeUniform, kHeNormal };
enum class PaddingKind { kValid, kSame };

struct Conv2DLayer {
  std::int64_t filters = 1;
  std::array<std::int64_t, 2> kernel_size{1, 1};  // height, width
  std::array<std::int64_t, 2> strides{1, 1};
  PaddingKind padding = PaddingKind::kValid;
  Activation activation;
  bool use_bias = true;
  InitializerKind kernel_initializer = InitializerKind::kGlorotUniform;
};

struct Pooling2DLayer {
  bool max = true;  // else the average, padding not counted
  std::array<std::int64_t, 2> pool_size{2, 2};
  std::array<std::int64_t, 2> strides{2, 2};
  PaddingKind padding = PaddingKind::kValid;
};

struct GlobalAveragePooling2DLayer {};

struct BatchNormalizationLayer {
  double momentum = 0.99;
  double epsilon = 1e-3;
};

struct ActivationLayer {
  Activation activation;
};

struct DropoutLayer {
  double rate = 0;
};

struct FlattenLayer {};

struct DenseLayer {
  std::int64_t units = 1;
  Activation activation;
  bool use_bias = true;
  InitializerKind kernel_initializer = InitializerKind::kGlorotUniform;
};

struct LayerSpec {
  std::string keras_name;  // "Conv2D", as written in the spec
  std::variant<Conv2DLayer, Pooling2DLayer, GlobalAveragePooling2DLayer, BatchNormalizationLayer,
               ActivationLayer, DropoutLayer, FlattenLayer, DenseLayer>
      layer;
  std::string where;  // "mnist.yaml:9:5", for messages
};

enum class OptimizerKind { kSgd, kRmsprop, kAdam, kAdamW, kAdadelta };

/// A member counts for the optimizers named beside it.
struct OptimizerSpec {
  OptimizerKind kind = OptimizerKind::kAdam;
  double learning_rate = 1e-3;  // all
  double momentum = 0;          // SGD, RMSprop
  bool nesterov = false;        // SGD
  double rho = 0.9;             // RMSprop, Adadelta
  double beta_1 = 0.9;          // Adam, AdamW
  double beta_2 = 0.999;        // Adam, AdamW
  double epsilon = 1e-7;        // all but SGD
  double weight_decay = 4e-3;   // AdamW
};

enum class ScheduleKind { kConstant, kStep, kCosine };

struct ScheduleSpec {
  ScheduleKind kind = ScheduleKind::kConstant;
  double warmup_epochs = 0;       // the rate grows linearly from 0 over this time; all kinds
  std::int64_t every_epochs = 1;  // step: so often the rate is multiplied by factor
  double factor = 0.1;            // step
  double final_factor = 0;        // cosine: what is left of the rate at the end of the last epoch
};

enum class MonitorKind { kValLoss, kValAccuracy };

struct EarlyStoppingSpec {
  std::int64_t patience = 5;  // epochs without improvement after which training ends
  double min_delta = 0;       // less than this is no improvement
  MonitorKind monitor = MonitorKind::kValLoss;
};

struct AugmentSpec {
  double shift = 0;   // fraction of width and height
  double rotate = 0;  // degrees
  double zoom = 0;    // fraction
};

struct TrainingSpec {
  std::int64_t epochs = 10;
  std::int64_t batch_size = 32;
  std::uint64_t seed = 1;
  Precision precision = Precision::kFloat32;
  LossKind loss = LossKind::kCategoricalCrossentropy;
  OptimizerSpec optimizer;
  ScheduleSpec schedule;
  std::optional<EarlyStoppingSpec> early_stopping;
  AugmentSpec augment;
  int threads = 0;  // 0: as many as the machine has; does not change the result
};

struct TrainSpec {
  std::string name;
  DataSpec data;
  InputSpec input;
  std::vector<LayerSpec> layers;
  TrainingSpec train;
};

/// Reads a spec. Paths in it are relative to its folder. Each override is what follows --set:
/// "train.epochs=3", "layers.0.filters=8", "train.optimizer={Adam: {learning_rate: 0.01}}"; the
/// value is YAML, later ones win. Throws Error{kNotFound}, or Error{kInvalidArgument} that begins
/// with "file:line:column:" (or the override) for broken YAML, an unknown key with the nearest
/// known one, a wrong type or range, and layers that do not fit each other.
TrainSpec load_spec(const std::filesystem::path& file,
                    const std::vector<std::string>& overrides = {});

/// The same from text; `file` is what messages call it and whose folder paths are relative to.
TrainSpec parse_spec(std::string_view text, const std::filesystem::path& file,
                     const std::vector<std::string>& overrides = {});

/// The whole spec with all defaults filled in and absolute paths; load_spec reads its dump again to
/// the same spec.
Json spec_to_json(const TrainSpec& spec);

/// Of what influences the result: not paths and threads, which change neither the data nor the
/// arithmetic.
std::string spec_sha256(const TrainSpec& spec);

/// The keys that the map called `section` may have: "spec", "data_mnist", "data_idx",
/// "data_folder", "data_csv", "input_image", "input_features", "train", "schedule_step",
/// "early_stopping", …, and the Keras names of layers and optimizers. Empty for an unknown section.
const std::vector<std::string_view>& spec_keys(std::string_view section);

/// All sections that spec_keys knows.
std::vector<std::string_view> spec_sections();

}  // namespace onnxop
