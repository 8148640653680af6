// What training exports, run by ONNX Runtime, answers as the trainer measured it.

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "onnxop/base/test_source_dir.h"
#include "onnxop/data/mnist.h"
#include "onnxop/onnx/batch_dimension.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/ort_scorer.h"
#include "onnxop/train/load_data.h"
#include "onnxop/train/test_fixture.h"

namespace onnxop {
namespace {

/// Keeps what the trainer answered to the test set.
class TestOutputs : public TrainObserver {
 public:
  void on_test_outputs(std::span<const float> outputs) override {
    values.insert(values.end(), outputs.begin(), outputs.end());
  }
  std::vector<float> values;
};

class ExportedModelTest : public TrainFixture {
 protected:
  /// Trains, and evaluates the written file with ONNX Runtime on the same test set: every output of
  /// every sample is what the trainer's network gave.
  void expect_same_answers(const TrainSpec& spec, std::int64_t batch = 7) {
    TestOutputs expected;
    TrainOptions options;
    options.threads = 2;
    const TrainOutcome outcome = train(spec, options, expected);
    const auto path = folder_ / "model.onnx";
    write_file_atomically(path, serialize_model(outcome.model.value()));
    check_model(path);
    EXPECT_EQ(serving_copy(path).widened, 0U) << "its scale has its input's rank";
    const auto scorer = load_ort_scorer(path);
    const TensorInfo input = scorer->inputs().at(0);
    std::vector<float> answers;
    const Predict predict = [&](std::span<const float> inputs, std::int64_t n,
                                std::span<float> outputs) {
      Shape shape = input.shape;
      shape[0] = n;
      std::vector<NamedTensor> named;
      named.push_back({input.name, Tensor::of<float>(shape, inputs)});
      const auto results = scorer->run(named);
      const auto values = results.at(0).tensor.values<float>();
      std::copy(values.begin(), values.end(), outputs.begin());
      answers.insert(answers.end(), values.begin(), values.end());
    };
    const TrainData data = load_train_data(spec, {});
    const Evaluation got = evaluate(predict, data.test, input_converter(spec), batch);
    EXPECT_EQ(got.accuracy, outcome.test->accuracy);
    EXPECT_EQ(got.confusion, outcome.test->confusion);
    EXPECT_NEAR(got.loss, outcome.test->loss, 1e-4 * std::max(1.0, outcome.test->loss));
    ASSERT_EQ(std::ssize(answers), data.test.size() * data.test.outputs());
    const float difference = largest_difference(answers, expected.values);
    RecordProperty("largest_difference", format("{}", difference));
    EXPECT_LE(difference, 1e-4);
  }

  /// Of values up to 1 (probabilities) absolute, of larger ones relative.
  static float largest_difference(const std::vector<float>& values,
                                  const std::vector<float>& expected) {
    EXPECT_EQ(values.size(), expected.size());
    float largest = 0;
    for (std::size_t i = 0; i < std::min(values.size(), expected.size()); ++i) {
      const float difference =
          std::abs(values[i] - expected[i]) / std::max(1.0F, std::abs(expected[i]));
      if (std::isnan(difference)) {
        return difference;
      }
      largest = std::max(largest, difference);
    }
    return largest;
  }
};

TEST_F(ExportedModelTest, ConvolutionsWithBatchNormalizationAndDropout) {
  expect_same_answers(quarters());
}

TEST_F(ExportedModelTest, EveryPoolingPaddingAndActivation) {
  expect_same_answers(quarters(
      {"layers=[{Conv2D: {filters: 4, kernel_size: 4, strides: 2, padding: same, activation: elu, "
       "use_bias: false}}, {AveragePooling2D: {pool_size: 3, strides: 1, padding: same}}, "
       "LeakyReLU, "
       "{MaxPooling2D: {pool_size: 3, strides: 2, padding: same}}, {Activation: {activation: "
       "tanh}}, "
       "{Conv2D: {filters: 8, kernel_size: [2, 1], activation: leaky_relu}}, "
       "GlobalAveragePooling2D, BatchNormalization, {Dense: {units: 8, activation: sigmoid}}, "
       "{Dense: {units: 4, use_bias: false}}, {Activation: {activation: softmax}}]"}));
}

TEST_F(ExportedModelTest, ColorImagesOfAnotherSize) {
  expect_same_answers(quarters({"input={width: 12, height: 10, color: rgb}", "train.epochs=1"}));
}

TEST_F(ExportedModelTest, EveryDigitOfTheMnistTestSet) {
  const auto mnist = default_data_dir() / "mnist";
  if (!std::filesystem::exists(mnist / "t10k-images-idx3-ubyte")) {
    GTEST_SKIP() << "no MNIST at " << mnist;
  }
  const Dataset all = load_mnist(mnist, "train");
  constexpr std::size_t kTraining = 2500;
  const auto pixels = all.samples.values<std::uint8_t>().first(kTraining * 784);
  write_idx_files(folder_, "digits", 28, std::string(pixels.begin(), pixels.end()),
                  std::string(all.classes.begin(), all.classes.begin() + kTraining));
  const TrainSpec spec = load_spec(
      source_dir() / "examples" / "mnist.yaml",
      {format("data={{kind: idx, train_images: '{0}/digits-images', train_labels: "
              "'{0}/digits-labels', test_images: '{1}/t10k-images-idx3-ubyte', test_labels: "
              "'{1}/t10k-labels-idx1-ubyte', classes: 10, validation: 500}}",
              folder_.string(), mnist.string()),
       "train.epochs=1"});
  expect_same_answers(spec, 500);
}

TEST_F(ExportedModelTest, Bfloat16TrainingIsMeasuredInFloat32) {
  if (!supports_precision(Precision::kBfloat16)) {
    GTEST_SKIP() << "this processor has no bfloat16";
  }
  expect_same_answers(quarters({"train.precision=bf16", "train.epochs=1"}));
}

TEST_F(ExportedModelTest, RegressionWithStandardizedFeatures) {
  expect_same_answers(load_spec(source_dir() / "examples" / "projectile.yaml", {"train.epochs=3"}));
}

}  // namespace
}  // namespace onnxop
