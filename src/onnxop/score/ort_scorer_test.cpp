#include "onnxop/score/ort_scorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/onnx/model_file.h"

namespace onnxop {
namespace {

Model scale_model() {
  Model model;
  model.graph.name = "scale";
  GraphNode node;
  node.op_type = "Mul";
  node.name = "scale";
  node.inputs = {"x", "factor"};
  node.outputs = {"y"};
  model.graph.nodes.push_back(node);
  const std::vector<float> factor{2.0F, 3.0F};
  model.graph.initializers.push_back({"factor", Tensor::of<float>({2}, factor), ""});
  model.graph.inputs.push_back({"x", DType::kFloat32, {{-1, "N"}, {2, ""}}, ""});
  model.graph.outputs.push_back({"y", DType::kFloat32, {{-1, "N"}, {2, ""}}, ""});
  return model;
}

TEST(OrtScorer, RunsAModel) {
  const auto path = std::filesystem::path(testing::TempDir()) / "scale.onnx";
  write_file_atomically(path, serialize_model(scale_model()));
  const auto scorer = load_ort_scorer(path);
  const std::vector<float> values{1, 2, 3, 4};
  std::vector<NamedTensor> inputs;
  inputs.push_back({"x", Tensor::of<float>({2, 2}, values)});
  const auto outputs = scorer->run(inputs);
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_THAT(outputs[0].tensor.values<float>(), testing::ElementsAre(2, 6, 6, 12));
}

}  // namespace
}  // namespace onnxop
