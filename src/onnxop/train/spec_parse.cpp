#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/train/layer_shapes.h"
#include "onnxop/train/spec_layers.h"
#include "onnxop/train/spec_words.h"

namespace onnxop {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1 << 20;
constexpr std::int64_t kMaxCount = 1'000'000'000;

std::string parse_name(const SpecMap& top, const std::filesystem::path& file) {
  const SpecNode* node = top.find("name");
  const std::string name = node == nullptr ? file.stem().string() : node_text(*node, "name");
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (name.empty() || name.size() > 100 || name[0] == '.' ||
      !std::all_of(name.begin(), name.end(), good)) {
    fail(ErrorCode::kInvalidArgument,
         "{}: name: expected up to 100 letters, digits, '-', '_' and '.', not beginning with '.', "
         "got '{}'{}",
         node == nullptr ? top.node().where : node->where, name,
         node == nullptr ? " (the file's name, as the spec has none)" : "");
  }
  return name;
}

void parse_validation(const SpecMap& map, DataSpec& data) {
  const SpecNode* node = map.find("validation");
  if (node == nullptr) {
    data.validation_samples = data.kind == DataKind::kMnist ? 5000 : 0;
    data.validation_fraction = data.kind == DataKind::kMnist ? 0 : 0.1;
    return;
  }
  const bool whole = node->kind == SpecNode::Kind::kScalar &&
                     node->text.find_first_not_of("0123456789") == std::string::npos;
  if (whole) {
    data.validation_samples = node_integer(*node, "data.validation", 1, kMaxCount);
    return;
  }
  data.validation_fraction = node_number(*node, "data.validation", 0, 1);
  if (data.validation_fraction <= 0 || data.validation_fraction >= 1) {
    fail(ErrorCode::kInvalidArgument,
         "{}: data.validation: expected a whole number of samples or a fraction over 0 and below "
         "1, got {}",
         node->where, describe_node(*node));
  }
}

std::vector<std::string> parse_target(const SpecMap& map) {
  const SpecNode& node = map.require("target");
  std::vector<std::string> columns;
  if (node.kind == SpecNode::Kind::kList) {
    for (const auto& item : node.items) {
      columns.push_back(node_text(item, "data.target"));
    }
  } else {
    columns.push_back(node_text(node, "data.target"));
  }
  if (columns.empty()) {
    fail(ErrorCode::kInvalidArgument, "{}: data.target: expected at least one column", node.where);
  }
  return columns;
}

std::filesystem::path parse_path(const SpecMap& map, std::string_view key,
                                 const std::filesystem::path& folder) {
  return (folder / map.require_text(key)).lexically_normal();
}

/// The word under `kind`, which decides what other keys the map may have.
template <typename T>
std::string parse_kind(const SpecNode& node, const std::string& path, const Words<T>& kinds) {
  if (node.kind != SpecNode::Kind::kMap || node.find("kind") == nullptr) {
    fail(ErrorCode::kInvalidArgument, "{}: {}: expected a map with a kind, as {{kind: {}}}, got {}",
         node.where, path, kinds.back().first, describe_node(node));
  }
  const SpecNode& kind = *node.find("kind");
  const std::string word = node_text(kind, path + ".kind");
  std::vector<std::string_view> words;
  for (const auto& [known, meaning] : kinds) {
    words.push_back(known);
  }
  if (std::find(words.begin(), words.end(), word) == words.end()) {
    fail_unknown(kind.where, path + ".kind", word, words);
  }
  return word;
}

DataSpec parse_data(const SpecNode& node, const std::filesystem::path& folder) {
  DataSpec data;
  const SpecMap map(node, "data_" + parse_kind(node, "data", kDataKinds), "data");
  data.kind = map.choice("kind", data.kind, kDataKinds);
  if (data.kind == DataKind::kIdx) {
    data.train_images = parse_path(map, "train_images", folder);
    data.train_labels = parse_path(map, "train_labels", folder);
    data.test_images = parse_path(map, "test_images", folder);
    data.test_labels = parse_path(map, "test_labels", folder);
    data.classes = static_cast<int>(map.require_integer("classes", 2, 256));
  } else if (data.kind != DataKind::kMnist) {
    data.train_images = parse_path(map, "train", folder);
    data.test_images = parse_path(map, "test", folder);
  }
  if (data.kind == DataKind::kCsv) {
    data.target = parse_target(map);
  }
  const bool ordered = data.kind == DataKind::kFolder || data.kind == DataKind::kCsv;
  data.split = map.choice("split", ordered ? SplitKind::kRandom : SplitKind::kLast, kSplitKinds);
  parse_validation(map, data);
  return data;
}

InputSpec parse_input(const SpecNode& node, const DataSpec& data) {
  InputSpec input;
  if (!data.images()) {
    const SpecMap map(node, "input_features", "input");
    input.standardize = map.flag("standardize", true);
    return input;
  }
  const SpecMap map(node, "input_image", "input");
  if (data.kind == DataKind::kMnist) {
    input.width = static_cast<int>(map.integer("width", 28, 1, 16384));
    input.height = static_cast<int>(map.integer("height", 28, 1, 16384));
  } else {
    input.width = static_cast<int>(map.require_integer("width", 1, 16384));
    input.height = static_cast<int>(map.require_integer("height", 1, 16384));
  }
  const ImageColor usual = data.kind == DataKind::kFolder ? ImageColor::kRgb : ImageColor::kGray;
  input.color = map.choice("color", usual, kColors);
  input.resize = map.choice("resize", ImageResize::kArea, kResizes);
  input.scale = map.number("scale", 1.0 / 255, 1e-9, 1e9);
  return input;
}

ScheduleSpec parse_schedule(const SpecNode& node) {
  ScheduleSpec schedule;
  const SpecMap map(node, "schedule_" + parse_kind(node, "train.schedule", kSchedules),
                    "train.schedule");
  schedule.kind = map.choice("kind", schedule.kind, kSchedules);
  schedule.warmup_epochs = map.number("warmup_epochs", 0, 0, 1e6);
  schedule.every_epochs = map.integer("every_epochs", 1, 1, 1'000'000);
  schedule.factor = map.number("factor", schedule.factor, 1e-9, 1);
  schedule.final_factor = map.number("final_factor", 0, 0, 1);
  return schedule;
}

AugmentSpec parse_augment(const SpecNode& node, const DataSpec& data) {
  if (!data.images()) {
    fail(ErrorCode::kInvalidArgument,
         "{}: train.augment: only images can be shifted, rotated and zoomed, this is CSV",
         node.where);
  }
  const SpecMap map(node, "augment", "train.augment");
  return {map.number("shift", 0, 0, 0.5), map.number("rotate", 0, 0, 180),
          map.number("zoom", 0, 0, 0.9)};
}

EarlyStoppingSpec parse_early_stopping(const SpecNode& node, LossKind loss) {
  const SpecMap map(node, "early_stopping", "train.early_stopping");
  EarlyStoppingSpec stopping;
  stopping.patience = map.integer("patience", stopping.patience, 0, 1'000'000);
  stopping.min_delta = map.number("min_delta", 0, 0, 1e9);
  stopping.monitor = map.choice("monitor", stopping.monitor, kMonitors);
  if (stopping.monitor == MonitorKind::kValAccuracy && loss == LossKind::kMeanSquaredError) {
    fail(ErrorCode::kInvalidArgument,
         "{}: train.early_stopping.monitor: regression has no accuracy; use val_loss",
         map.find("monitor")->where);
  }
  return stopping;
}

TrainingSpec parse_training(const SpecNode& node, const DataSpec& data) {
  const SpecMap map(node, "train", "train");
  TrainingSpec train;
  train.epochs = map.integer("epochs", train.epochs, 1, 1'000'000);
  train.batch_size = map.integer("batch_size", train.batch_size, 1, 1'000'000);
  train.seed = static_cast<std::uint64_t>(map.integer("seed", 1, 0, INT64_MAX));
  train.precision = map.choice("precision", train.precision, kPrecisions);
  train.loss = map.choice("loss", train.loss, kLosses);
  train.threads = static_cast<int>(map.integer("threads", 0, 0, 1024));
  if (train.loss == LossKind::kMeanSquaredError && data.images()) {
    fail(ErrorCode::kInvalidArgument,
         "{}: train.loss: mean_squared_error needs numbers to learn, which only data of kind csv "
         "has; "
         "use categorical_crossentropy",
         map.find("loss")->where);
  }
  if (train.loss == LossKind::kCategoricalCrossentropy && data.target.size() > 1) {
    fail(ErrorCode::kInvalidArgument,
         "{}: data.target: classification has one target column, got {}; for regression set "
         "train.loss to "
         "mean_squared_error",
         map.node().where, data.target.size());
  }
  if (const SpecNode* optimizer = map.find("optimizer")) {
    train.optimizer = parse_optimizer(*optimizer);
  }
  if (const SpecNode* schedule = map.find("schedule")) {
    train.schedule = parse_schedule(*schedule);
  }
  if (const SpecNode* stopping = map.find("early_stopping")) {
    train.early_stopping = parse_early_stopping(*stopping, train.loss);
  }
  if (const SpecNode* augment = map.find("augment")) {
    train.augment = parse_augment(*augment, data);
  }
  return train;
}

void check_known_shapes(const TrainSpec& spec) {
  const bool counted = spec.data.kind == DataKind::kMnist || spec.data.kind == DataKind::kIdx;
  const Shape sample = spec.data.images()
                           ? Shape{spec.input.height, spec.input.width, spec.input.channels()}
                           : Shape{-1};
  std::int64_t outputs = counted ? spec.data.classes : -1;
  if (spec.train.loss == LossKind::kMeanSquaredError) {
    outputs = static_cast<std::int64_t>(spec.data.target.size());
  }
  check_network(spec, sample, outputs);
}

}  // namespace

TrainSpec parse_spec(std::string_view text, const std::filesystem::path& file,
                     const std::vector<std::string>& overrides) {
  SpecNode root = parse_yaml(text, file.string());
  if (root.kind != SpecNode::Kind::kMap) {
    fail(ErrorCode::kInvalidArgument, "{}: expected a map with data, layers and train, got {}",
         root.where, describe_node(root));
  }
  for (const auto& one : overrides) {
    apply_override(root, one);
  }
  const SpecMap top(root, "spec", "");
  SpecNode nothing;
  nothing.where = root.where;
  const auto part = [&](std::string_view key) -> const SpecNode& {
    const SpecNode* found = top.find(key);
    return found == nullptr ? nothing : *found;
  };
  TrainSpec spec;
  spec.name = parse_name(top, file);
  spec.data = parse_data(top.require("data"), std::filesystem::absolute(file).parent_path());
  spec.input = parse_input(part("input"), spec.data);
  spec.layers = parse_layers(top.require("layers"));
  spec.train = parse_training(part("train"), spec.data);
  check_known_shapes(spec);
  return spec;
}

TrainSpec load_spec(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return parse_spec(read_text_file(file, kMaxFileBytes), file, overrides);
}

}  // namespace onnxop
