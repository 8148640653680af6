#include "onnxop/onnx/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/onnx/test_models.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace testing_models;

std::vector<std::string> operators_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const GraphNode& each : graph.nodes) {
    names.push_back(each.op_type);
  }
  return names;
}

Graph graph_of(std::vector<GraphNode> nodes, const std::string& output) {
  Graph graph;
  graph.name = "g";
  graph.nodes = std::move(nodes);
  graph.inputs.push_back(value("x", {{-1, "N"}, {2, ""}}));
  graph.outputs.push_back(value(output, {{-1, "N"}, {2, ""}}));
  return graph;
}

TEST(Graph, AttributesHaveDefaultsAndTypes) {
  const GraphNode made = node("Gemm", {"a", "b"}, {"c"}, {{"transB", std::int64_t{1}}});
  EXPECT_EQ(made.attribute<std::int64_t>("transB", 0), 1);
  EXPECT_EQ(made.attribute<std::int64_t>("transA", 0), 0);
  EXPECT_THAT(error_of([&] { made.attribute<float>("transB", 0.0F); }),
              testing::AllOf(HasSubstr("internal"), HasSubstr("transB"), HasSubstr("make_c")));
}

TEST(Graph, CloneOwnsItsTensors) {
  Model model = conv_model();
  Graph copy = model.graph.clone();
  copy.initializers[0].tensor.values<float>()[0] = 7;
  EXPECT_EQ(model.graph.find_initializer("scale")->tensor.values<float>()[0], 1.0F / 255);
  EXPECT_EQ(copy.find_initializer("scale")->tensor.values<float>()[0], 7);
  EXPECT_EQ(copy.find_initializer("absent"), nullptr);
  EXPECT_EQ(copy.nodes.size(), model.graph.nodes.size());
  EXPECT_EQ(copy.outputs[0].name, "probabilities");
}

TEST(WithoutDropout, JoinsReadersAndDropsTheRatio) {
  const Model model = conv_model();
  const Graph graph = without_dropout(model.graph);
  EXPECT_THAT(operators_of(graph),
              ElementsAre("Mul", "Transpose", "Conv", "Relu", "Reshape", "Gemm", "Softmax"));
  EXPECT_THAT(graph.nodes[4].inputs, ElementsAre("relu", "flat"));
  EXPECT_EQ(graph.find_initializer("ratio"), nullptr);
  EXPECT_NE(graph.find_initializer("flat"), nullptr);
  EXPECT_NE(model.graph.find_initializer("ratio"), nullptr);
}

TEST(WithoutDropout, GoesThroughChains) {
  const Graph graph =
      without_dropout(graph_of({node("Relu", {"x"}, {"a"}), node("Dropout", {"a"}, {"b"}),
                                node("Dropout", {"b"}, {"c"}), node("Relu", {"c"}, {"y"})},
                               "y"));
  EXPECT_THAT(operators_of(graph), ElementsAre("Relu", "Relu"));
  EXPECT_THAT(graph.nodes[1].inputs, ElementsAre("a"));
}

TEST(WithoutDropout, KeepsTheNamesOfOutputs) {
  const Graph graph = without_dropout(graph_of(
      {node("Relu", {"x"}, {"a"}), node("Dropout", {"a"}, {"y"}), node("Neg", {"a"}, {"unused"})},
      "y"));
  EXPECT_THAT(operators_of(graph), ElementsAre("Relu", "Neg"));
  EXPECT_THAT(graph.nodes[0].outputs, ElementsAre("y"));
  EXPECT_THAT(graph.nodes[1].inputs, ElementsAre("y"));
}

TEST(WithoutDropout, PassesAnInputThroughAnIdentity) {
  const Graph graph = without_dropout(graph_of({node("Dropout", {"x"}, {"y"})}, "y"));
  ASSERT_THAT(operators_of(graph), ElementsAre("Identity"));
  EXPECT_THAT(graph.nodes[0].inputs, ElementsAre("x"));
  EXPECT_THAT(graph.nodes[0].outputs, ElementsAre("y"));
}

TEST(WithoutDropout, GivesTwoOutputsOfOneSourceBothTheirNames) {
  Graph two = graph_of(
      {node("Relu", {"x"}, {"a"}), node("Dropout", {"a"}, {"y"}), node("Dropout", {"a"}, {"z"})},
      "y");
  two.outputs.push_back(value("z", {{-1, "N"}, {2, ""}}));
  const Graph graph = without_dropout(two);
  ASSERT_THAT(operators_of(graph), ElementsAre("Relu", "Identity"));
  EXPECT_THAT(graph.nodes[0].outputs, ElementsAre("y"));
  EXPECT_THAT(graph.nodes[1].inputs, ElementsAre("y"));
  EXPECT_THAT(graph.nodes[1].outputs, ElementsAre("z"));
}

TEST(WithoutDropout, RefusesAMaskThatIsRead) {
  const Graph graph =
      graph_of({node("Dropout", {"x"}, {"y", "mask"}), node("Not", {"mask"}, {"z"})}, "y");
  EXPECT_THAT(
      error_of([&] { without_dropout(graph); }),
      testing::AllOf(HasSubstr("invalid_argument"), HasSubstr("mask"), HasSubstr("make_z")));
  const Graph given = graph_of({node("Dropout", {"x"}, {"y", "mask"})}, "mask");
  EXPECT_THAT(error_of([&] { without_dropout(given); }), HasSubstr("outputs"));
}

}  // namespace
}  // namespace onnxop
