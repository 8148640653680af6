#include "onnxop/train/spec.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/test_source_dir.h"

namespace onnxop {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::filesystem::path kExamples = source_dir() / "examples";

constexpr std::string_view kSmall = R"(data: {kind: mnist}
layers:
  - Conv2D: {filters: 4, kernel_size: 3, activation: relu}
  - Flatten
  - Dense: {units: 10, activation: softmax}
train:
  epochs: 2
)";

std::string message_of(std::string_view text, const std::vector<std::string>& overrides = {}) {
  try {
    parse_spec(text, "dir/a.yaml", overrides);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.what();
  }
  return "no error";
}

/// kSmall with one piece replaced.
std::string changed(std::string_view from, std::string_view to) {
  std::string text(kSmall);
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(SpecTest, ReadsTheMnistExample) {
  const TrainSpec spec = load_spec(kExamples / "mnist.yaml");
  EXPECT_EQ(spec.name, "mnist");
  EXPECT_EQ(spec.data.kind, DataKind::kMnist);
  EXPECT_EQ(spec.data.validation_samples, 5000);
  EXPECT_EQ(spec.data.split, SplitKind::kLast);
  EXPECT_FLOAT_EQ(spec.input.scale, 1.0 / 255);
  ASSERT_EQ(spec.layers.size(), 11U);
  const auto& conv = std::get<Conv2DLayer>(spec.layers[1].layer);
  EXPECT_EQ(conv.filters, 32);
  EXPECT_EQ(conv.kernel_size[1], 3);
  EXPECT_EQ(conv.padding, PaddingKind::kValid);
  EXPECT_TRUE(conv.use_bias);
  EXPECT_EQ(conv.kernel_initializer, InitializerKind::kGlorotUniform);
  EXPECT_EQ(spec.train.optimizer.kind, OptimizerKind::kAdadelta);
  EXPECT_EQ(spec.train.optimizer.learning_rate, 1.0);
  EXPECT_EQ(spec.train.optimizer.epsilon, 1e-7);
  EXPECT_EQ(spec.train.epochs, 20);
  EXPECT_EQ(spec.train.batch_size, 250);
}

TEST(SpecTest, FillsInKerasDefaults) {
  TrainSpec spec = parse_spec(kSmall, "dir/a.yaml");
  EXPECT_EQ(spec.name, "a");
  EXPECT_EQ(spec.data.validation_samples, 5000);
  EXPECT_EQ(spec.train.optimizer.kind, OptimizerKind::kAdam);
  EXPECT_EQ(spec.train.optimizer.learning_rate, 0.001);
  spec = parse_spec(kSmall, "a.yaml", {"train.optimizer=SGD"});
  EXPECT_EQ(spec.train.optimizer.learning_rate, 0.01);
  spec = parse_spec(kSmall, "a.yaml", {"train.optimizer=RMSprop"});
  EXPECT_EQ(spec.train.optimizer.rho, 0.9);
  spec = parse_spec(kSmall, "a.yaml", {"train.optimizer=Adadelta"});
  EXPECT_EQ(spec.train.optimizer.learning_rate, 0.001);
  EXPECT_EQ(spec.train.optimizer.rho, 0.95);
  spec = parse_spec(kSmall, "a.yaml", {"layers.0={MaxPooling2D: {pool_size: 3}}"});
  EXPECT_EQ(std::get<Pooling2DLayer>(spec.layers[0].layer).strides[0], 3);
  spec = parse_spec(kSmall, "a.yaml", {"layers.0=LeakyReLU"});
  EXPECT_EQ(std::get<ActivationLayer>(spec.layers[0].layer).activation.alpha, 0.3);
  spec = parse_spec(kSmall, "a.yaml", {"layers.0={Activation: {activation: leaky_relu}}"});
  EXPECT_EQ(std::get<ActivationLayer>(spec.layers[0].layer).activation.alpha, 0.2);
}

TEST(SpecTest, ReadsEveryExampleAndItsJsonAgain) {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kExamples)) {
    if (entry.path().extension() == ".yaml") {
      ++examples;
      const TrainSpec spec = load_spec(entry.path());
      const std::string json = dump_json(spec_to_json(spec));
      const TrainSpec again = parse_spec(json, "/elsewhere/spec.json");
      EXPECT_EQ(dump_json(spec_to_json(again)), json);
      EXPECT_EQ(spec_sha256(again), spec_sha256(spec));
    }
  }
  EXPECT_GE(examples, 5);
}

TEST(SpecTest, EveryLayerAndOptimizerSurvivesItsJson) {
  const std::string text = R"(
name: all
data: {kind: idx, train_images: a, train_labels: b, test_images: /c, test_labels: d, classes: 7, validation: 0.25}
input: {width: 32, height: 30, color: rgb, resize: nearest, scale: 0.5}
layers:
  - Conv2D: {filters: 4, kernel_size: [3, 5], strides: [1, 2], padding: same, use_bias: false, kernel_initializer: he_normal}
  - BatchNormalization: {momentum: 0.5, epsilon: 0.1}
  - LeakyReLU: {negative_slope: 0.05}
  - AveragePooling2D: {pool_size: [2, 3], strides: 1, padding: same}
  - ELU: {alpha: 0.5}
  - MaxPooling2D
  - Activation: {activation: tanh}
  - GlobalAveragePooling2D:
  - ReLU: {}
  - Dropout: {rate: 0.1}
  - Dense: {units: 7, use_bias: false, kernel_initializer: glorot_normal}
  - Activation: {activation: softmax}
train:
  seed: 77
  precision: bf16
  threads: 3
  schedule: {kind: step, every_epochs: 4, factor: 0.5, warmup_epochs: 0.5}
  early_stopping: {patience: 0, min_delta: 0.25, monitor: val_accuracy}
  augment: {rotate: 5}
)";
  for (const std::string optimizer : {"SGD: {learning_rate: 0.5, momentum: 0.9, nesterov: true}",
                                      "RMSprop: {rho: 0.5, momentum: 0.1, epsilon: 1e-3}",
                                      "Adam: {beta_1: 0.5, beta_2: 0.6, epsilon: 1e-2}",
                                      "AdamW: {weight_decay: 0.5}", "Adadelta: {rho: 0.5}"}) {
    const TrainSpec spec = parse_spec(text, "/x/a.yaml", {"train.optimizer={" + optimizer + "}"});
    const Json json = spec_to_json(spec);
    EXPECT_EQ(json["data"]["train_images"], "/x/a");
    EXPECT_EQ(json["data"]["test_images"], "/c");
    EXPECT_EQ(json["data"]["validation"], 0.25);
    EXPECT_EQ(json["layers"][0]["Conv2D"]["strides"], Json({1, 2}));
    EXPECT_EQ(json["layers"][2]["LeakyReLU"]["negative_slope"], 0.05);
    EXPECT_EQ(json["train"]["precision"], "bf16");
    EXPECT_EQ(json["train"]["early_stopping"]["monitor"], "val_accuracy");
    EXPECT_EQ(dump_json(spec_to_json(parse_spec(dump_json(json), "b.json"))), dump_json(json));
  }
}

TEST(SpecTest, UnknownKeyNamesPlaceAndNearest) {
  EXPECT_EQ(message_of(changed("epochs", "epohcs")),
            "dir/a.yaml:7:3: key 'epohcs' is not known here; did you mean 'epochs'? known: epochs, "
            "batch_size, seed, "
            "precision, loss, optimizer, schedule, early_stopping, augment, threads");
  EXPECT_THAT(message_of(changed("filters", "filter")),
              StartsWith("dir/a.yaml:3:14: key 'filter' is not known"));
  EXPECT_THAT(message_of(changed("data:", "date: 1\ndata:")), HasSubstr("did you mean 'data'?"));
  EXPECT_THAT(message_of(changed("Flatten", "Flatten: {axis: 1}")),
              HasSubstr("layer 2 Flatten has no keys"));
  EXPECT_THAT(message_of(changed("mnist", "mnist, train: x")),
              HasSubstr("known: kind, validation, split"));
}

TEST(SpecTest, UnknownWordsNameTheNearest) {
  EXPECT_THAT(message_of(changed("Conv2D", "Conv2d")),
              StartsWith("dir/a.yaml:3:5: layer 'Conv2d' is not known here; did you mean 'Conv2D'? "
                         "known: Conv2D, "));
  EXPECT_THAT(message_of(changed("relu", "rleu")),
              HasSubstr("'rleu' is not known here; did you mean 'relu'?"));
  EXPECT_THAT(message_of(changed("mnist", "minst")),
              HasSubstr("data.kind 'minst' is not known here; did you mean"));
  EXPECT_THAT(
      message_of(kSmall, {"train.optimizer=adam"}),
      StartsWith(
          "--set train.optimizer=adam: optimizer 'adam' is not known here; did you mean 'Adam'?"));
  EXPECT_THAT(message_of(kSmall, {"train.schedule={kind: cosin}"}),
              HasSubstr("did you mean 'cosine'?"));
  EXPECT_THAT(message_of(kSmall, {"train.precision=fp16"}), HasSubstr("known: float32, bf16"));
}

TEST(SpecTest, WrongTypesAndRanges) {
  EXPECT_EQ(message_of(changed("epochs: 2", "epochs: two")),
            "dir/a.yaml:7:11: train.epochs: expected a whole number from 1 to 1000000, got 'two'");
  EXPECT_THAT(message_of(changed("epochs: 2", "epochs: \"2\"")), HasSubstr("got the text \"2\""));
  EXPECT_THAT(message_of(changed("epochs: 2", "epochs: 2.5")), HasSubstr("a whole number"));
  EXPECT_THAT(message_of(changed("epochs: 2", "epochs: 0")), HasSubstr("got '0'"));
  EXPECT_THAT(message_of(changed("epochs: 2", "epochs: [1]")), HasSubstr("got a list of 1"));
  EXPECT_THAT(message_of(changed("epochs: 2", "epochs:")), HasSubstr("got nothing"));
  EXPECT_THAT(message_of(changed("epochs: 2", "epochs: 99999999999999999999")),
              HasSubstr("whole number"));
  EXPECT_THAT(message_of(kSmall, {"input.scale=1/0"}), HasSubstr("a number"));
  EXPECT_THAT(message_of(kSmall, {"input.scale=nan"}), HasSubstr("a number"));
  EXPECT_THAT(message_of(kSmall, {"input.scale=.inf"}), HasSubstr("a number"));
  EXPECT_THAT(message_of(kSmall, {"data.validation=0"}), HasSubstr("whole number from 1"));
  EXPECT_THAT(message_of(kSmall, {"data.validation=1.0"}),
              HasSubstr("fraction over 0 and below 1"));
  EXPECT_THAT(message_of(kSmall, {"layers.0.use_bias=1"}), HasSubstr("true or false"));
  EXPECT_THAT(message_of(kSmall, {"layers.0.kernel_size=[3, 3, 3]"}),
              HasSubstr("layer 1 Conv2D: kernel_size"));
  EXPECT_THAT(message_of(kSmall, {"layers.0=Dropout"}),
              HasSubstr("key 'rate' is missing in layer 1 Dropout"));
  EXPECT_THAT(message_of(kSmall, {"layers.0={Conv2D: {filters: 1}, Dense: {}}"}),
              HasSubstr("expected one name"));
  EXPECT_THAT(message_of(kSmall, {"layers=[]"}), HasSubstr("expected a list of layers"));
  EXPECT_THAT(message_of(kSmall, {"train=3"}), HasSubstr("expected a map with keys of: epochs"));
  EXPECT_THAT(message_of(kSmall, {"name=../up"}), HasSubstr("got '../up'"));
  EXPECT_THAT(message_of(kSmall, {"train.optimizer={SGD: {nesterov: true}}"}),
              HasSubstr("needs a momentum"));
  EXPECT_THAT(message_of(changed("{kind: mnist}", "{kind: csv, train: a, test: b}")),
              HasSubstr("'target' is missing"));
  EXPECT_THAT(message_of("layers: [Flatten]"), StartsWith("dir/a.yaml:1:1: key 'data' is missing"));
}

TEST(SpecTest, BrokenYaml) {
  EXPECT_THAT(message_of(changed("{filters: 4", "{filters: 4 ]")),
              testing::ContainsRegex("^dir/a.yaml:3:.*broken YAML"));
  EXPECT_THAT(message_of("a: b: c"), StartsWith("dir/a.yaml:1:5: broken YAML"));
  EXPECT_THAT(message_of(""), HasSubstr("expected a map with data, layers and train, got nothing"));
  EXPECT_THAT(message_of("- 1"), HasSubstr("got a list of 1"));
  EXPECT_THAT(message_of("a: 1\na: 2"), StartsWith("dir/a.yaml:2:1: key 'a' is there twice"));
  EXPECT_THAT(message_of("a: 1\n---\nb: 1"), StartsWith("dir/a.yaml:2:1: this does not belong"));
  EXPECT_THAT(message_of(",\n"), testing::Not(HasSubstr("no error")));
  EXPECT_THAT(message_of("a: 1\n]"), testing::Not(HasSubstr("no error")));
  EXPECT_THAT(message_of("a:\n  - {b: 1}- c\n"), testing::Not(HasSubstr("no error")));
  EXPECT_THAT(message_of("[a]: 1"), HasSubstr("a key must be a word"));
  EXPECT_THAT(message_of("a: &x [*x]"), testing::Not(HasSubstr("no error")));
  EXPECT_THAT(message_of("a: *nowhere"), HasSubstr("broken YAML"));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb +=
        format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  EXPECT_THAT(message_of(bomb), HasSubstr("no spec looks like this"));
  EXPECT_THAT(message_of(std::string(2000, '[')), testing::Not(HasSubstr("no error")));
}

TEST(SpecTest, OverridesReachEverything) {
  const TrainSpec spec = parse_spec(
      kSmall, "a.yaml",
      {"train.epochs=3", "train.epochs=4", "layers.0.filters=8", "layers.2.Dense.use_bias=false",
       "train.optimizer.learning_rate=0.5", "train.optimizer.beta_1=0.1", "data.validation=0.5",
       "train.early_stopping.patience=1", "layers.1={Dropout: {rate: 0.1}}", "layers.1=Flatten"});
  EXPECT_EQ(spec.train.epochs, 4);
  EXPECT_EQ(std::get<Conv2DLayer>(spec.layers[0].layer).filters, 8);
  EXPECT_FALSE(std::get<DenseLayer>(spec.layers[2].layer).use_bias);
  EXPECT_EQ(spec.train.optimizer.kind, OptimizerKind::kAdam);
  EXPECT_EQ(spec.train.optimizer.learning_rate, 0.5);
  EXPECT_EQ(spec.train.optimizer.beta_1, 0.1);
  EXPECT_EQ(spec.data.validation_fraction, 0.5);
  EXPECT_EQ(spec.data.validation_samples, 0);
  ASSERT_TRUE(spec.train.early_stopping.has_value());
  EXPECT_EQ(spec.train.early_stopping->patience, 1);
}

TEST(SpecTest, OptimizerOverrideNeedsToKnowWhichOne) {
  const TrainSpec spec =
      parse_spec(changed("epochs: 2", "optimizer: {SGD: {momentum: 0.9}}"), "a.yaml",
                 {"train.optimizer.learning_rate=0.25", "train.optimizer.SGD.nesterov=true"});
  EXPECT_EQ(spec.train.optimizer.learning_rate, 0.25);
  EXPECT_TRUE(spec.train.optimizer.nesterov);
  EXPECT_EQ(spec.train.optimizer.momentum, 0.9);
  EXPECT_EQ(
      parse_spec(kSmall, "a.yaml", {"train.optimizer.AdamW.weight_decay=0.5"}).train.optimizer.kind,
      OptimizerKind::kAdamW);
}

TEST(SpecTest, WrongOverridesNameTheOption) {
  EXPECT_THAT(
      message_of(kSmall, {"train.epohcs=3"}),
      StartsWith("--set train.epohcs=3: key 'epohcs' is not known here; did you mean 'epochs'?"));
  EXPECT_THAT(message_of(kSmall, {"train.epochs=x"}),
              StartsWith("--set train.epochs=x: train.epochs: expected"));
  EXPECT_THAT(message_of(kSmall, {"train.epochs"}), HasSubstr("expected key=value"));
  EXPECT_THAT(message_of(kSmall, {"=3"}), HasSubstr("expected key=value"));
  EXPECT_THAT(message_of(kSmall, {"layers.9.filters=3"}),
              HasSubstr("'9' is no index of this list of 3"));
  EXPECT_THAT(message_of(kSmall, {"layers.first=3"}), HasSubstr("'first' is no index"));
  EXPECT_THAT(message_of(kSmall, {"train.epochs.x=3"}), HasSubstr("nothing called 'x' inside '2'"));
  EXPECT_THAT(message_of(kSmall, {"train.epochs=[1"}),
              StartsWith("--set train.epochs=[1: broken YAML"));
  EXPECT_THAT(message_of(kSmall, {"layers.0.filter=3"}),
              StartsWith("--set layers.0.filter=3: key 'filter'"));
}

TEST(SpecTest, LayersMustFitEachOther) {
  EXPECT_EQ(message_of(changed("  - Flatten\n", "")),
            "dir/a.yaml:4:5: layer 2 Dense: its input is 26x26x4; put Flatten or "
            "GlobalAveragePooling2D before it");
  EXPECT_THAT(message_of(kSmall, {"layers.0.kernel_size=29"}),
              HasSubstr("layer 1 Conv2D: kernel 29x29 does not fit its input 28x28x1"));
  EXPECT_THAT(message_of(kSmall, {"layers.0=Flatten", "layers.1=MaxPooling2D"}),
              HasSubstr("layer 2 MaxPooling2D: its input must be an image (height x width x "
                        "channels), but is 784"));
  EXPECT_THAT(
      message_of(changed("units: 10", "units: 9")),
      HasSubstr("layer 3 Dense: the last layer gives 9 values, but the data has 10 classes"));
  EXPECT_THAT(message_of(changed(", activation: softmax", "")), HasSubstr("needs softmax"));
  EXPECT_THAT(message_of(kSmall, {"layers.1={Activation: {activation: softmax}}"}),
              HasSubstr("softmax of an image"));
  EXPECT_THAT(message_of(kSmall, {"layers.2=Flatten"}),
              HasSubstr("the last layer gives 2704 values"));
  EXPECT_THAT(message_of(kSmall, {"train.loss=mean_squared_error"}),
              HasSubstr("only data of kind csv"));
  EXPECT_THAT(
      message_of(kSmall,
                 {"layers=[Flatten, {Activation: {activation: softmax}}]",
                  "data={kind: idx, "
                  "train_images: a, train_labels: a, test_images: a, test_labels: a, classes: 16}",
                  "input={width: 4, height: 4}"}),
      HasSubstr("nothing to train"));
}

TEST(SpecTest, CsvTaskFollowsTheLoss) {
  const std::string csv =
      "data: {kind: csv, train: a.csv, test: b.csv, target: [x, y]}\nlayers: [{Dense: {units: "
      "2}}]\n";
  const TrainSpec spec = parse_spec(csv + "train: {loss: mean_squared_error}", "/d/a.yaml");
  EXPECT_EQ(spec.data.train_images, "/d/a.csv");
  EXPECT_EQ(spec.data.split, SplitKind::kRandom);
  EXPECT_EQ(spec.data.validation_fraction, 0.1);
  EXPECT_TRUE(spec.input.standardize);
  EXPECT_THAT(message_of(csv), HasSubstr("classification has one target column, got 2"));
  const std::string regression = csv + "train: {loss: mean_squared_error, ";
  EXPECT_THAT(message_of(regression + "augment: {shift: 0.1}}"), HasSubstr("only images can be"));
  EXPECT_THAT(message_of(regression + "early_stopping: {monitor: val_accuracy}}"),
              HasSubstr("use val_loss"));
  EXPECT_THAT(message_of(regression + "epochs: 1}", {"layers.0.units=3"}),
              HasSubstr("the data has 2 target columns"));
  EXPECT_THAT(message_of(regression + "epochs: 1}", {"layers.0.activation=softmax"}),
              HasSubstr("must not be softmax"));
  EXPECT_THAT(message_of(regression + "epochs: 1}", {"input={width: 3}"}),
              HasSubstr("known: standardize"));
}

TEST(SpecTest, HashIsOfWhatCounts) {
  const TrainSpec spec = parse_spec(kSmall, "/d/a.yaml");
  const std::string hash = spec_sha256(spec);
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(spec_sha256(parse_spec("# comment\n" + std::string(kSmall), "/e/a.yaml")), hash);
  EXPECT_EQ(spec_sha256(parse_spec(kSmall, "/d/a.yaml", {"train.threads=2", "train.seed=1"})),
            hash);
  for (const std::string one :
       {"train.seed=2", "train.epochs=3", "layers.0.filters=5", "data.validation=10",
        "train.precision=bf16", "train.batch_size=31", "input.scale=1", "name=b"}) {
    EXPECT_NE(spec_sha256(parse_spec(kSmall, "/d/a.yaml", {one})), hash) << one;
  }
}

TEST(SpecTest, MissingFileIsNotFound) {
  try {
    load_spec("/nowhere/a.yaml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace onnxop
