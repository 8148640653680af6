#include "onnxop/serving/prediction.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
std::vector<NamedTensor> output(Shape shape, const std::vector<T>& values) {
  std::vector<NamedTensor> outputs;
  outputs.push_back({"other", Tensor(DType::kInt64, {1})});
  outputs.push_back({"out", Tensor::of<T>(std::move(shape), values)});
  return outputs;
}

ContractOutput contract(std::vector<std::string> labels = {}, bool logits = false) {
  ContractOutput made;
  made.name = "out";
  made.labels = std::move(labels);
  made.logits = logits;
  return made;
}

std::string message_of(const ContractOutput& of, const std::vector<NamedTensor>& outputs,
                       std::size_t sample = 0) {
  try {
    read_prediction(of, outputs, sample);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInternal);
    return e.what();
  }
  return "";
}

TEST(Prediction, TheMostProbableClass) {
  const auto outputs = output<float>({2, 3}, {0.25F, 0.5F, 0.25F, 0.5F, 0.5F, 0});
  const Prediction first = read_prediction(contract({"cat", "dog", "eel"}), outputs);
  EXPECT_THAT(first.values, ElementsAre(0.25, 0.5, 0.25));
  EXPECT_EQ(first.label, "dog");
  EXPECT_EQ(first.confidence, 0.5);
  const Prediction second = read_prediction(contract(), outputs, 1);
  EXPECT_EQ(second.label, "0") << "the first of equals, and its index where there are no labels";
}

TEST(Prediction, SoftmaxOfLogitsOfAnySize) {
  const auto outputs = output<double>({1, 3}, {1000, 1000 + std::log(2), -1000});
  const Prediction prediction = read_prediction(contract({}, true), outputs);
  EXPECT_THAT(prediction.values, ElementsAre(DoubleNear(1.0 / 3, 1e-12), DoubleNear(2.0 / 3, 1e-12),
                                             DoubleNear(0, 1e-12)));
  EXPECT_EQ(prediction.label, "1");
}

TEST(Prediction, RegressionsHaveNoLabel) {
  ContractOutput regression = contract();
  regression.kind = OutputKind::kRegression;
  const Prediction prediction = read_prediction(regression, output<float>({1, 2}, {-3, 4}));
  EXPECT_THAT(prediction.values, ElementsAre(-3, 4));
  EXPECT_EQ(prediction.label, "");
}

TEST(Prediction, TrailingDimensionsAreOneList) {
  const auto outputs = output<float>({2, 2, 1, 1}, {1, 0, 0, 1});
  EXPECT_EQ(read_prediction(contract(), outputs, 1).label, "1");
}

TEST(Prediction, OutputsThatDoNotFitAreErrors) {
  const auto good = output<float>({1, 2}, {0, 1});
  ContractOutput absent = contract();
  absent.name = "absent";
  EXPECT_THAT(message_of(absent, good), HasSubstr("absent"));
  EXPECT_THAT(message_of(contract(), good, 1), HasSubstr("sample 1"));
  EXPECT_THAT(message_of(contract({"a", "b", "c"}), good), HasSubstr("3 values"));
  EXPECT_THAT(message_of(contract(), output<std::int64_t>({1, 2}, {0, 1})), HasSubstr("int64"));
  EXPECT_THAT(message_of(contract(), output<float>({}, {1})), HasSubstr("shape"));
  EXPECT_THAT(message_of(contract(), output<float>({0, 2}, {})), HasSubstr("shape"));
  EXPECT_THAT(message_of(contract(), output<float>({1, 0}, {})), HasSubstr("shape"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_of(contract(), output<float>({1, 2}, {0, nan})), HasSubstr("finite"));
}

}  // namespace
}  // namespace onnxop
