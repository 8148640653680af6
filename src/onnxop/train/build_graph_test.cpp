#include "onnxop/train/build_graph.h"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/test_source_dir.h"
#include "onnxop/train/initialize.h"
#include "onnxop/train/layer_shapes.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using Ints = std::vector<std::int64_t>;

const std::filesystem::path kExamples = source_dir() / "examples";

Graph mnist_graph(const std::vector<std::string>& overrides = {}) {
  return build_graph(load_spec(kExamples / "mnist.yaml", overrides),
                     {.sample = {28, 28, 1}, .outputs = 10});
}

const GraphNode& node_of(const Graph& graph, std::string_view name) {
  for (const auto& node : graph.nodes) {
    if (node.name == name) {
      return node;
    }
  }
  throw std::runtime_error("no node " + std::string(name));
}

std::vector<std::string> names_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const auto& node : graph.nodes) {
    names.push_back(node.name);
  }
  return names;
}

TEST(BuildGraphTest, MnistNodesAreNamedAsKerasNamesLayers) {
  const Graph graph = mnist_graph();
  EXPECT_THAT(names_of(graph),
              ElementsAre("scaling", "channels_first", "conv2d", "conv2d/relu", "conv2d_1",
                          "conv2d_1/relu", "max_pooling2d", "dropout", "conv2d_2", "conv2d_2/relu",
                          "max_pooling2d_1", "dropout_1", "flatten", "dense", "dense/relu",
                          "dropout_2", "dense_1", "dense_1/softmax"));
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.inputs[0].name, "image");
  ASSERT_EQ(graph.inputs[0].shape.size(), 4U);
  EXPECT_EQ(graph.inputs[0].shape[0].symbol, "N");
  EXPECT_EQ(graph.inputs[0].shape[1].size, 28);
  EXPECT_EQ(graph.outputs[0].name, "probabilities");
  EXPECT_EQ(graph.outputs[0].shape[1].size, 10);
  EXPECT_EQ(graph.nodes.back().outputs[0], "probabilities");
  EXPECT_EQ(graph.name, "mnist");
}

TEST(BuildGraphTest, EveryInputIsMadeBeforeItIsUsedAndEveryNameIsUnique) {
  for (const std::string example : {"mnist", "mnist-small", "mnist-augment"}) {
    const Graph graph = build_graph(load_spec(kExamples / (example + ".yaml")),
                                    {.sample = {28, 28, 1}, .outputs = 10});
    std::set<std::string> made = {"image"};
    std::set<std::string> nodes;
    for (const auto& initializer : graph.initializers) {
      EXPECT_TRUE(made.insert(initializer.name).second) << initializer.name;
    }
    for (const auto& node : graph.nodes) {
      EXPECT_TRUE(nodes.insert(node.name).second) << node.name;
      for (const auto& input : node.inputs) {
        EXPECT_TRUE(made.contains(input)) << node.name << " reads " << input;
      }
      EXPECT_TRUE(made.insert(node.outputs[0]).second);
    }
  }
}

TEST(BuildGraphTest, InitializersHaveTheLayersShapes) {
  const Graph graph = mnist_graph();
  const std::vector<std::pair<std::string, Shape>> expected = {
      {"scale", {1, 1, 1, 1}}, {"conv2d/kernel", {16, 1, 3, 3}},    {"conv2d/bias", {16}},
      {"dropout/rate", {}},    {"conv2d_2/kernel", {64, 32, 3, 3}}, {"dense/kernel", {128, 1600}},
      {"dense/bias", {128}},   {"dense_1/kernel", {10, 128}}};
  for (const auto& [name, shape] : expected) {
    const auto* initializer = graph.find_initializer(name);
    ASSERT_NE(initializer, nullptr) << name;
    EXPECT_EQ(initializer->tensor.shape(), shape) << name;
  }
  EXPECT_FLOAT_EQ(graph.find_initializer("scale")->tensor.values<float>()[0], 1.0F / 255);
  EXPECT_FLOAT_EQ(graph.find_initializer("dropout_2/rate")->tensor.values<float>()[0], 0.5F);
  for (const float bias : graph.find_initializer("conv2d_1/bias")->tensor.values<float>()) {
    EXPECT_EQ(bias, 0);
  }
}

TEST(BuildGraphTest, SeedDecidesTheKernels) {
  const auto kernel = [](const Graph& graph) {
    const auto values = graph.find_initializer("dense/kernel")->tensor.values<float>();
    return std::vector<float>(values.begin(), values.end());
  };
  EXPECT_EQ(kernel(mnist_graph()), kernel(mnist_graph()));
  EXPECT_NE(kernel(mnist_graph()), kernel(mnist_graph({"train.seed=2"})));
}

TEST(BuildGraphTest, SamePaddingIsKerasAsymmetricRule) {
  const Graph graph = mnist_graph(
      {"layers.0.padding=same", "layers.0.kernel_size=[4, 5]", "layers.0.strides=[2, 3]"});
  // 28 -> 14 by 2: (14 - 1) * 2 + 4 - 28 = 2 around; 28 -> 10 by 3: (10 - 1) * 3 + 5 - 28 = 4.
  EXPECT_EQ(node_of(graph, "conv2d").attribute("pads", Ints{}), (Ints{1, 2, 1, 2}));
  EXPECT_EQ(node_of(graph, "conv2d").attribute("strides", Ints{}), (Ints{2, 3}));
  EXPECT_EQ(node_of(graph, "conv2d").attribute("kernel_shape", Ints{}), (Ints{4, 5}));
  const Graph odd = mnist_graph({"layers.0.padding=same", "layers.0.kernel_size=4"});
  EXPECT_EQ(node_of(odd, "conv2d").attribute("pads", Ints{}), (Ints{1, 1, 2, 2}));
  EXPECT_EQ(node_of(mnist_graph(), "conv2d").attribute("pads", Ints{}), (Ints{0, 0, 0, 0}));
}

TEST(BuildGraphTest, ActivationsBecomeTheirOperators) {
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"{Activation: {activation: sigmoid}}", "Sigmoid"},
      {"{Activation: {activation: tanh}}", "Tanh"},
      {"{Activation: {activation: elu}}", "Elu"},
      {"ReLU", "Relu"},
      {"{LeakyReLU: {negative_slope: 0.5}}", "LeakyRelu"},
      {"{ELU: {alpha: 0.5}}", "Elu"}};
  for (const auto& [layer, op_type] : expected) {
    const Graph graph = mnist_graph({"layers.3=" + layer});
    EXPECT_EQ(graph.nodes[7].op_type, op_type);
    if (layer.find("0.5") != std::string::npos) {
      EXPECT_EQ(graph.nodes[7].attribute("alpha", 0.0F), 0.5F);
    }
  }
  EXPECT_EQ(names_of(mnist_graph({"layers.3={Activation: {activation: linear}}"}))[7], "conv2d_2");
  EXPECT_EQ(names_of(mnist_graph({"layers.3={Dropout: {rate: 0}}"}))[7], "conv2d_2");
}

TEST(BuildGraphTest, BatchNormalizationAndGlobalPooling) {
  const Graph graph = build_graph(load_spec(kExamples / "mnist-augment.yaml"),
                                  {.sample = {28, 28, 1}, .outputs = 10});
  const auto& norm = node_of(graph, "batch_normalization_1");
  EXPECT_EQ(norm.op_type, "BatchNormalization");
  EXPECT_EQ(norm.attribute("momentum", 0.0F), 0.9F);
  EXPECT_EQ(norm.attribute("epsilon", 0.0F), 1e-3F);
  ASSERT_EQ(norm.inputs.size(), 5U);
  EXPECT_EQ(graph.find_initializer(norm.inputs[4])->tensor.values<float>()[63], 1);
  EXPECT_EQ(node_of(graph, "conv2d").inputs.size(), 2U);
  EXPECT_EQ(node_of(graph, "global_average_pooling2d/flatten").op_type, "Flatten");
}

TEST(BuildGraphTest, AveragePoolingDoesNotCountPadding) {
  const Graph graph = mnist_graph({"layers.2={AveragePooling2D: {pool_size: 3, padding: same}}"});
  EXPECT_EQ(node_of(graph, "average_pooling2d").attribute("count_include_pad", std::int64_t{1}), 0);
  EXPECT_EQ(node_of(graph, "average_pooling2d").attribute("strides", Ints{}), (Ints{3, 3}));
}

TEST(BuildGraphTest, FeaturesAreStandardizedByNodes) {
  const TrainSpec spec = load_spec(kExamples / "projectile.yaml");
  NetworkEnds ends{.sample = {3}, .outputs = 1};
  ends.mean = {1, 2, 3};
  ends.std_dev = {2, 4, 8};
  const Graph graph = build_graph(spec, ends);
  EXPECT_EQ(graph.inputs[0].name, "features");
  EXPECT_EQ(graph.outputs[0].name, "values");
  EXPECT_EQ(graph.nodes[0].op_type, "Sub");
  EXPECT_EQ(graph.nodes[1].op_type, "Mul");
  EXPECT_EQ(graph.find_initializer("inverse_deviation")->tensor.values<float>()[2], 0.125F);
  EXPECT_EQ(graph.nodes.back().op_type, "Gemm");
  EXPECT_EQ(graph.nodes.back().outputs[0], "values");
}

TEST(BuildGraphTest, DataThatDoesNotFitIsNamed) {
  const TrainSpec folder = load_spec(kExamples / "image-folder.yaml");
  EXPECT_NO_THROW(build_graph(folder, {.sample = {64, 64, 3}, .outputs = 2}));
  try {
    build_graph(folder, {.sample = {64, 64, 3}, .outputs = 3});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(
        error.what(),
        testing::HasSubstr("layer 8 Dense: the last layer gives 2 values, but the data has 3"));
  }
}

TEST(WindowTest, KeepsKerasSizes) {
  for (std::int64_t size = 1; size < 20; ++size) {
    for (std::int64_t window = 1; window < 8; ++window) {
      for (std::int64_t stride = 1; stride < 5; ++stride) {
        std::int64_t places = 0;
        for (std::int64_t at = 0; at + window <= size; at += stride) {
          ++places;
        }
        EXPECT_EQ(apply_window(size, window, stride, PaddingKind::kValid).size, places);
        const auto same = apply_window(size, window, stride, PaddingKind::kSame);
        EXPECT_EQ(same.size, (size + stride - 1) / stride);
        EXPECT_TRUE(same.after == same.before || same.after == same.before + 1);
        EXPECT_EQ((size + same.before + same.after - window) / stride + 1, same.size);
      }
    }
  }
}

TEST(InitializeTest, HasKerasLimitsAndVariances) {
  const std::int64_t in = 200, out = 300;
  const std::vector<std::tuple<InitializerKind, double, bool>> cases = {
      {InitializerKind::kGlorotUniform, 2.0 / 500, false},
      {InitializerKind::kGlorotNormal, 2.0 / 500, true},
      {InitializerKind::kHeUniform, 2.0 / 200, false},
      {InitializerKind::kHeNormal, 2.0 / 200, true}};
  for (const auto& [kind, variance, normal] : cases) {
    const Tensor kernel = initial_kernel({out, in}, in, out, kind, 5, 1);
    double sum = 0, squares = 0, largest = 0;
    for (const float value : kernel.values<float>()) {
      sum += value;
      squares += value * value;
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    const double n = static_cast<double>(kernel.size());
    EXPECT_NEAR(sum / n, 0, 4 * std::sqrt(variance / n));
    EXPECT_NEAR(squares / n / variance, 1, 0.02);
    const double limit = normal ? 2 * std::sqrt(variance) / 0.87962566 : std::sqrt(3 * variance);
    EXPECT_LE(largest, limit * 1.000001);
    EXPECT_GT(largest, limit * 0.99);
  }
}

TEST(InitializeTest, StreamsDiffer) {
  const Tensor a = initial_kernel({100}, 10, 10, InitializerKind::kGlorotUniform, 5, 1);
  const Tensor b = initial_kernel({100}, 10, 10, InitializerKind::kGlorotUniform, 5, 2);
  EXPECT_NE(a.values<float>()[0], b.values<float>()[0]);
}

}  // namespace
}  // namespace onnxop
