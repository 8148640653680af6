#include "onnxop/serving/answer_comparison.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<NamedTensor> output(const std::string& name, const std::vector<float>& values,
                                std::int64_t rows = 1) {
  std::vector<NamedTensor> outputs;
  outputs.push_back(
      {name, Tensor::of<float>({rows, static_cast<std::int64_t>(values.size()) / rows}, values)});
  return outputs;
}

class CompareAnswers : public testing::Test {
 protected:
  CompareAnswers() {
    classes_.name = "p";
    numbers_.name = "p";
    numbers_.kind = OutputKind::kRegression;
  }
  ContractOutput classes_;
  ContractOutput numbers_;
};

TEST_F(CompareAnswers, ClassificationsAgreeOnTheClass) {
  const auto a = output("p", {0.7F, 0.3F, 0.1F, 0.9F}, 2);
  const auto near = output("p", {0.55F, 0.45F, 0.4F, 0.6F}, 2);
  const auto other = output("p", {0.7F, 0.3F, 0.6F, 0.4F}, 2);
  const auto same = compare_answers({a, &classes_}, {near, &classes_});
  EXPECT_TRUE(same.agrees);
  EXPECT_THAT(same.largest, ElementsAre(Pair("p", testing::DoubleNear(0.3, 1e-6))));
  EXPECT_FALSE(compare_answers({a, &classes_}, {other, &classes_}).agrees);
  EXPECT_FALSE(compare_answers({a, &classes_}, {output("p", {0.7F, 0.3F}), &classes_}).agrees)
      << "one row less";
}

TEST_F(CompareAnswers, ClassesMayStandInOutputsOfOtherNamesAndOrders) {
  classes_.labels = {"cat", "dog"};
  ContractOutput swapped{.name = "q", .labels = {"dog", "cat"}};
  const auto comparison = compare_answers({output("p", {0.7F, 0.3F}), &classes_},
                                          {output("q", {0.2F, 0.8F}), &swapped});
  EXPECT_TRUE(comparison.agrees);
  EXPECT_THAT(comparison.largest, IsEmpty());
}

TEST_F(CompareAnswers, WhatIsNoAnswerDisagrees) {
  const auto a = output("p", {0.7F, 0.3F});
  const auto nan = output("p", {NAN, 0.3F});
  EXPECT_FALSE(compare_answers({a, &classes_}, {nan, &classes_}).agrees);
  EXPECT_FALSE(compare_answers({a, &classes_}, {output("z", {0.7F, 0.3F}), &classes_}).agrees);
}

TEST_F(CompareAnswers, OthersAgreeWhereAllIsClose) {
  const auto a = output("p", {100, -100, 0});
  for (const ContractOutput* contract : std::vector<const ContractOutput*>{nullptr, &numbers_}) {
    EXPECT_TRUE(
        compare_answers({a, contract}, {output("p", {100.9F, -99.1F, 9e-4F}), contract}).agrees);
    EXPECT_FALSE(compare_answers({a, contract}, {output("p", {101.1F, -100, 0}), contract}).agrees);
    EXPECT_FALSE(
        compare_answers({a, contract}, {output("p", {100, -100, 0.002F}), contract}).agrees);
    EXPECT_FALSE(compare_answers({a, contract}, {output("p", {100, -100}), contract}).agrees);
    EXPECT_FALSE(compare_answers({a, contract}, {output("p", {100, NAN, 0}), contract}).agrees);
    EXPECT_FALSE(compare_answers({a, contract}, {{}, contract}).agrees);
  }
}

TEST_F(CompareAnswers, TextsAreTheSameOrNot) {
  const auto texts = [](std::string text) {
    std::vector<NamedTensor> outputs;
    outputs.push_back({"t", Tensor::of_strings({1}, {std::move(text)})});
    return outputs;
  };
  const auto a = texts("a");
  EXPECT_TRUE(compare_answers({a}, {texts("a")}).agrees);
  const auto differs = compare_answers({a}, {texts("b")});
  EXPECT_FALSE(differs.agrees);
  EXPECT_THAT(differs.largest, IsEmpty());
}

}  // namespace
}  // namespace onnxop
