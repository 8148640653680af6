// What training exports, run by ONNX Runtime, answers as the trainer measured it.

#include <algorithm>

#include <gtest/gtest.h>

#include "onnxop/onnx/model_file.h"
#include "onnxop/score/ort_scorer.h"
#include "onnxop/train/load_data.h"
#include "onnxop/train/test_fixture.h"

namespace onnxop {
namespace {

class ExportedModelTest : public TrainFixture {
 protected:
  /// Trains, and evaluates the written file with ONNX Runtime on the same test set.
  void expect_same_answers(const TrainSpec& spec) {
    TrainObserver quiet;
    TrainOptions options;
    options.threads = 2;
    const TrainOutcome outcome = train(spec, options, quiet);
    const auto path = folder_ / "model.onnx";
    write_file_atomically(path, serialize_model(outcome.model.value()));
    check_model(path);
    const auto scorer = load_ort_scorer(path);
    const TensorInfo input = scorer->inputs().at(0);
    const Predict predict = [&](std::span<const float> inputs, std::int64_t n,
                                std::span<float> outputs) {
      Shape shape = input.shape;
      shape[0] = n;
      std::vector<NamedTensor> named;
      named.push_back({input.name, Tensor::of<float>(shape, inputs)});
      const auto results = scorer->run(named);
      const auto values = results.at(0).tensor.values<float>();
      std::copy(values.begin(), values.end(), outputs.begin());
    };
    const TrainData data = load_train_data(spec, {});
    const Evaluation got = evaluate(predict, data.test, input_converter(spec), 7);
    EXPECT_EQ(got.accuracy, outcome.test->accuracy);
    EXPECT_EQ(got.confusion, outcome.test->confusion);
    EXPECT_NEAR(got.loss, outcome.test->loss, 1e-4 * std::max(1.0, outcome.test->loss));
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

TEST_F(ExportedModelTest, Bfloat16TrainingIsMeasuredInFloat32) {
  if (!supports_precision(Precision::kBfloat16)) {
    GTEST_SKIP() << "this processor has no bfloat16";
  }
  expect_same_answers(quarters({"train.precision=bf16", "train.epochs=1"}));
}

TEST_F(ExportedModelTest, RegressionWithStandardizedFeatures) {
  expect_same_answers(
      load_spec(std::filesystem::path(ONNXOP_SOURCE_DIR) / "examples" / "projectile.yaml",
                {"train.epochs=3"}));
}

}  // namespace
}  // namespace onnxop
