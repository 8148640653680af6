#include "onnxop/serving/configured_scorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/score/fake_scorer.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Takes x [rows, 2, 3] and s [rows] of texts; gives both as they came, x as y.
std::shared_ptr<Scorer> echo(std::int64_t rows = -1) {
  return std::make_shared<FakeScorer>(
      std::vector<TensorInfo>{{"x", DType::kFloat32, {rows, 2, 3}}, {"s", DType::kString, {rows}}},
      std::vector<TensorInfo>{{"y", DType::kFloat32, {rows, 2, 3}}, {"s", DType::kString, {rows}}},
      [](std::span<const NamedTensor> inputs) {
        std::vector<NamedTensor> outputs;
        for (const char* name : {"x", "s"}) {
          for (const NamedTensor& input : inputs) {
            if (input.name == name) {
              outputs.push_back({*name == 'x' ? "y" : "s", input.tensor.clone()});
            }
          }
        }
        return outputs;
      });
}

constexpr std::string_view kTexts = "input { name: 's' dims: [1] reshape { shape: [] } }";

std::shared_ptr<Scorer> configured(const std::string& text, std::int64_t rows = -1,
                                   const BatchDimension& batch = {.proven = true}) {
  return configured_scorer(echo(rows), read_triton_config(text), batch);
}

std::string error_of(const std::string& text, std::int64_t rows = -1,
                     const BatchDimension& batch = {.proven = true}) {
  try {
    configured(text, rows, batch);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kFailedPrecondition);
    return e.what();
  }
  return "";
}

TEST(ConfiguredScorer, TensorsAreReshapedOnTheirWay) {
  const auto scorer = configured(
      "max_batch_size: 8 input { name: 'x' data_type: TYPE_FP32 dims: [6] "
      "reshape { shape: [2, 3] } } input { name: 's' dims: [1] reshape { shape: [] } } "
      "output { name: 'y' dims: [3, 2] reshape { shape: [2, 3] } } "
      "output { name: 's' dims: [1] reshape { shape: [] } }");
  EXPECT_EQ(scorer->inputs()[0].shape, (Shape{-1, 6}));
  EXPECT_EQ(scorer->inputs()[1].shape, (Shape{-1, 1}));
  EXPECT_EQ(scorer->outputs()[0].shape, (Shape{-1, 3, 2}));
  const std::vector<float> values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::vector<NamedTensor> inputs;
  inputs.push_back({"s", Tensor::of_strings({2, 1}, {"a", "b"})});
  inputs.push_back({"x", Tensor::of<float>({2, 6}, values)});
  const auto outputs = scorer->run(inputs);
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(outputs[0].name, "y");
  EXPECT_EQ(outputs[0].tensor.shape(), (Shape{2, 3, 2}));
  EXPECT_THAT(outputs[0].tensor.values<float>(), testing::ElementsAreArray(values));
  EXPECT_EQ(outputs[1].tensor.shape(), (Shape{2, 1}));
  EXPECT_THAT(outputs[1].tensor.strings(), ElementsAre("a", "b"));
  inputs[1].tensor = Tensor::of<float>({2, 2, 3}, values);
  EXPECT_THROW(scorer->run(inputs), Error) << "clients see the other shape";
}

TEST(ConfiguredScorer, FreeSizesKeepTheirOrder) {
  const auto inner =
      std::make_shared<FakeScorer>(std::vector<TensorInfo>{{"x", DType::kFloat32, {-1, 1, -1}}},
                                   std::vector<TensorInfo>{{"y", DType::kFloat32, {-1, 1, -1}}},
                                   [](std::span<const NamedTensor> inputs) {
                                     EXPECT_EQ(inputs[0].tensor.shape(), (Shape{2, 1, 3}));
                                     std::vector<NamedTensor> outputs;
                                     outputs.push_back({"y", inputs[0].tensor.clone()});
                                     return outputs;
                                   });
  const auto scorer = configured_scorer(
      inner,
      read_triton_config("max_batch_size: 0 input { name: 'x' dims: [-1, -1] reshape { shape: "
                         "[-1, 1, -1] } } output { name: 'y' dims: [1, -1, -1] reshape { shape: "
                         "[-1, 1, -1] } }"),
      {});
  std::vector<NamedTensor> inputs;
  inputs.push_back({"x", Tensor(DType::kFloat32, {2, 3})});
  EXPECT_EQ(scorer->run(inputs)[0].tensor.shape(), (Shape{1, 2, 3}));
}

TEST(ConfiguredScorer, WithoutNewsTheModelItselfIsServed) {
  const auto inner = echo();
  EXPECT_EQ(configured_scorer(inner, read_triton_config(""), {}), inner);
  EXPECT_EQ(
      configured_scorer(
          inner, read_triton_config("max_batch_size: 4 output { name: 'y' dims: [2, 3] }"), {}),
      inner);
}

TEST(ConfiguredScorer, SizesThatTheModelLeavesFreeAreNarrowed) {
  const auto inner = std::make_shared<FakeScorer>(
      std::vector<TensorInfo>{{"x", DType::kFloat32, {-1, -1}}},
      std::vector<TensorInfo>{{"y", DType::kFloat32, {-1, -1}}}, nullptr);
  const auto shape = [&](const std::string& text) {
    return configured_scorer(inner, read_triton_config(text), {})->inputs()[0].shape;
  };
  EXPECT_EQ(shape("max_batch_size: 4 input { name: 'x' dims: [7] }"), (Shape{-1, 7}));
  EXPECT_EQ(shape("max_batch_size: 0 input { name: 'x' dims: [2, 7] }"), (Shape{2, 7}));
  EXPECT_EQ(shape("input { name: 'x' dims: [1, 7] }"), (Shape{-1, 7}))
      << "nothing is said of batches";
}

TEST(ConfiguredScorer, ContradictionsNameTheLine) {
  EXPECT_THAT(error_of("\noutput { name: 'z' dims: [1] }"),
              HasSubstr("line 2: the model has no output 'z', it has: y, s"));
  EXPECT_THAT(error_of("input { name: 's' }"), HasSubstr("the model's input 'x' is not there"));
  EXPECT_THAT(error_of("output { name: 'y' data_type: TYPE_FP16 }"),
              HasSubstr("output 'y': got float16, the model has float32"));
  EXPECT_THAT(error_of("max_batch_size: 2 output { name: 'y' dims: [3, 3] }"),
              HasSubstr("got [3, 3] behind the rows, the model has [?, 2, 3]"));
  EXPECT_THAT(error_of("max_batch_size: 0 output { name: 'y' dims: [2, 3] }"),
              HasSubstr("got [2, 3], the model has [?, 2, 3]"));
  EXPECT_THAT(error_of("output { name: 'y' dims: [-1, -1, 3] }"), HasSubstr("[?, ?, 3]"));
  EXPECT_THAT(error_of("max_batch_size: 8 output { name: 'y' dims: [2, 3] }", 4,
                       {.proven = false, .fixed = 4, .reason = "node 'n' mixes"}),
              HasSubstr("has 4 rows, but max_batch_size is 8; they cannot be proven free: node"));
  EXPECT_EQ(error_of("max_batch_size: 4 output { name: 'y' dims: [2, 3] }", 4), "");
  EXPECT_THAT(error_of(std::string(kTexts)), HasSubstr("'x' is not there"));
}

}  // namespace
}  // namespace onnxop
