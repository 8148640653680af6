#include "onnxop/train/evaluate.h"

#include <cmath>

#include <gtest/gtest.h>

namespace onnxop {
namespace {

/// Samples are what a model would answer: [N, 3] probabilities.
Dataset classes_data(const std::vector<float>& answers, std::vector<std::int32_t> classes) {
  Dataset data;
  data.samples = Tensor::of<float>({std::ssize(classes), 3}, answers);
  data.classes = std::move(classes);
  data.labels = {"cat", "dog", "eel"};
  return data;
}

void echo(std::span<const float> inputs, std::int64_t, std::span<float> outputs) {
  std::copy(inputs.begin(), inputs.end(), outputs.begin());
}

TEST(EvaluateTest, CountsClassesByHand) {
  const Dataset data = classes_data({0.7F, 0.2F, 0.1F,   // cat, right
                                     0.1F, 0.6F, 0.3F,   // cat taken for dog
                                     0.2F, 0.5F, 0.3F,   // dog, right
                                     0.4F, 0.3F, 0.3F,   // dog taken for cat
                                     0.1F, 0.8F, 0.1F},  // dog, right
                                    {0, 0, 1, 1, 1});
  for (const std::int64_t batch : {1, 2, 100}) {
    const Evaluation got = evaluate(echo, data, {}, batch);
    EXPECT_EQ(got.samples, 5);
    EXPECT_DOUBLE_EQ(got.accuracy.value(), 0.6);
    EXPECT_NEAR(
        got.loss,
        -(std::log(0.7) + std::log(0.1) + std::log(0.5) + std::log(0.3) + std::log(0.8)) / 5, 1e-6);
    const std::vector<std::vector<std::int64_t>> confusion = {{1, 1, 0}, {1, 2, 0}, {0, 0, 0}};
    EXPECT_EQ(got.confusion, confusion);
    ASSERT_EQ(got.classes.size(), 3U);
    EXPECT_EQ(got.classes[1].label, "dog");
    EXPECT_EQ(got.classes[1].samples, 3);
    EXPECT_DOUBLE_EQ(got.classes[1].precision, 2.0 / 3);
    EXPECT_DOUBLE_EQ(got.classes[1].recall, 2.0 / 3);
    EXPECT_DOUBLE_EQ(got.classes[0].precision, 0.5);
    EXPECT_EQ(got.classes[2].precision, 0);
    EXPECT_EQ(got.classes[2].recall, 0);
    EXPECT_FALSE(got.mean_absolute_error.has_value());
  }
}

TEST(EvaluateTest, TakesTheSamplesAskedFor) {
  const Dataset data = classes_data({1, 0, 0, 1, 0, 0, 0, 0, 1}, {0, 1, 2});
  EXPECT_DOUBLE_EQ(evaluate(echo, data, {0, 2}, {}, 10).accuracy.value(), 1.0);
  EXPECT_DOUBLE_EQ(evaluate(echo, data, {1}, {}, 10).accuracy.value(), 0.0);
}

TEST(EvaluateTest, ProbabilityOfZeroHasAFiniteLoss) {
  const Dataset data = classes_data({0, 1, 0}, {0});
  EXPECT_NEAR(evaluate(echo, data, {}, 1).loss, -std::log(1e-7), 1e-6);
}

TEST(EvaluateTest, NotANumberIsNotHidden) {
  const Dataset data = classes_data({NAN, NAN, NAN}, {0});
  EXPECT_TRUE(std::isnan(evaluate(echo, data, {}, 1).loss));
}

TEST(EvaluateTest, MeasuresNumbersByHand) {
  Dataset data;
  data.samples = Tensor::of<float>({2, 2}, std::vector<float>{1, 2, 3, 4});
  data.values = Tensor::of<float>({2, 2}, std::vector<float>{1, 4, 0, 4});
  const Evaluation got = evaluate(echo, data, {}, 10);
  EXPECT_DOUBLE_EQ(got.loss, (4.0 / 2 + 9.0 / 2) / 2);
  EXPECT_DOUBLE_EQ(got.mean_absolute_error.value(), (2.0 / 2 + 3.0 / 2) / 2);
  EXPECT_FALSE(got.accuracy.has_value());
  EXPECT_TRUE(got.confusion.empty());
}

TEST(EvaluateTest, PixelsGoThroughTheConverter) {
  Dataset data;
  data.samples = Tensor::of<std::uint8_t>({1, 1, 2, 1}, std::vector<std::uint8_t>{10, 200});
  data.classes = {1};
  data.labels = {"a", "b"};
  const auto convert = [](std::span<const std::uint8_t> pixels, std::span<float> values) {
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      values[i] = static_cast<float>(pixels[i]) / 210;
    }
  };
  EXPECT_NEAR(evaluate(echo, data, convert, 4).loss, -std::log(200.0 / 210), 1e-6);
}

}  // namespace
}  // namespace onnxop
