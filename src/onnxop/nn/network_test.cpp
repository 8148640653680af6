#include "onnxop/nn/network.h"

#include <cmath>
#include <functional>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/nn/test_graphs.h"

namespace onnxop {
namespace {

using nn_test::ChainBuilder;
using nn_test::random_values;
using Ints = std::vector<std::int64_t>;
constexpr LossKind kSquares = LossKind::kMeanSquaredError;

struct Refused {
  std::string name;
  std::function<Graph()> graph;
  std::vector<std::string> said;
};

Graph conv_with(std::map<std::string, AttributeValue> attributes) {
  ChainBuilder b({3, 8, 8});
  const auto w = b.weight({4, 3, 3, 3}, -1, 1);
  b.node("Conv", {w}, std::move(attributes));
  return b.node("Flatten").gemm(144, 2).done({2});
}

Graph pool_with(std::map<std::string, AttributeValue> attributes) {
  return ChainBuilder({3, 8, 8}).node("MaxPool", {}, std::move(attributes)).done({3});
}

class RefusedGraph : public testing::TestWithParam<Refused> {};

TEST_P(RefusedGraph, NamesTheNode) {
  ThreadPool pool(1);
  try {
    const Network network(GetParam().graph(), {.loss = kSquares}, pool);
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    for (const auto& said : GetParam().said) {
      EXPECT_THAT(error.what(), testing::HasSubstr(said));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Network, RefusedGraph,
    testing::Values(
        Refused{"unknown_operator",
                [] { return ChainBuilder({4}).gemm(4, 2).node("Einsum").done({2}); },
                {"Einsum_1", "not known to training"}},
        Refused{"softmax_inside",
                [] { return ChainBuilder({4}).node("Softmax").gemm(4, 2).done({2}); },
                {"Softmax_0", "last node"}},
        Refused{"groups",
                [] {
                  return conv_with({{"group", std::int64_t{3}}});
                },
                {"Conv_0", "groups"}},
        Refused{"dilations",
                [] {
                  return conv_with({{"dilations", Ints{2, 2}}});
                },
                {"Conv_0", "dilations"}},
        Refused{"auto_pad",
                [] {
                  return conv_with({{"auto_pad", std::string("SAME_UPPER")}});
                },
                {"Conv_0", "auto_pad"}},
        Refused{"three_pads",
                [] {
                  return conv_with({{"pads", Ints{1, 1, 1}}});
                },
                {"Conv_0", "pads"}},
        Refused{"stride_of_zero",
                [] {
                  return conv_with({{"strides", Ints{0, 1}}});
                },
                {"Conv_0", "strides"}},
        Refused{"another_kernel_shape",
                [] {
                  return conv_with({{"kernel_shape", Ints{5, 5}}});
                },
                {"Conv_0", "kernel_shape", "[4, 3, 3, 3]"}},
        Refused{"pool_without_window", [] { return pool_with({}); }, {"MaxPool_0", "kernel_shape"}},
        Refused{"pool_of_padding_alone",
                [] {
                  return pool_with({{"kernel_shape", Ints{2, 2}}, {"pads", Ints{2, 0, 0, 0}}});
                },
                {"MaxPool_0", "padding"}},
        Refused{"pool_larger_than_image",
                [] {
                  return pool_with({{"kernel_shape", Ints{9, 9}}});
                },
                {"MaxPool_0", "larger than its input"}},
        Refused{"weights_of_another_size",
                [] { return ChainBuilder({4}).gemm(5, 2).done({2}); },
                {"Gemm_0", "5 inputs", "has 4"}},
        Refused{"image_into_gemm",
                [] {
                  return ChainBuilder({1, 2, 2}).gemm(4, 2).done({2});
                },
                {"Gemm_0", "Flatten is missing"}},
        Refused{"scaling_behind_flatten",
                [] {
                  ChainBuilder b({1, 2, 2});
                  b.node("Flatten").node("Sub", {b.constant({}, {1})});
                  return b.gemm(4, 2).done({2});
                },
                {"Sub_1", "not known to training"}},
        Refused{"ratio_of_one",
                [] {
                  ChainBuilder b({4});
                  return b.gemm(4, 2).node("Dropout", {b.constant({}, {1})}).done({2});
                },
                {"Dropout_1", "ratio is 1"}},
        Refused{"ratio_of_no_number",
                [] {
                  ChainBuilder b({4});
                  return b.gemm(4, 2).node("Dropout", {b.constant({0}, {})}).done({2});
                },
                {"Dropout_1", "[0]"}},
        Refused{"a_branch",
                [] {
                  Graph graph = ChainBuilder({4}).gemm(4, 4).gemm(4, 2).done({2});
                  graph.nodes[1].inputs[0] = "x";
                  return graph;
                },
                {"chains"}},
        Refused{"output_from_the_middle",
                [] {
                  Graph graph = ChainBuilder({4}).gemm(4, 4).gemm(4, 2).done({2});
                  graph.outputs[0].name = "v0";
                  return graph;
                },
                {"'v0'", "last node"}},
        Refused{"shared_weights",
                [] {
                  Graph graph = ChainBuilder({4}).gemm(4, 4).gemm(4, 4).done({4});
                  graph.nodes[1].inputs[1] = graph.nodes[0].inputs[1];
                  return graph;
                },
                {"'w0'", "shared"}},
        Refused{"nothing_to_train",
                [] { return ChainBuilder({4}).node("Relu").done({4}); },
                {"nothing to train"}}),
    [](const auto& instance) { return instance.param.name; });

TEST(Network, CrossEntropyNeedsSoftmaxAtTheEnd) {
  ThreadPool pool(1);
  EXPECT_THROW(Network(ChainBuilder({4}).gemm(4, 2).done({2}), {}, pool), Error);
  EXPECT_THROW(
      Network(ChainBuilder({4}).gemm(4, 2).node("Softmax").done({2}), {.loss = kSquares}, pool),
      Error);
}

TEST(Network, RefusesCallsOfAnotherSize) {
  ThreadPool pool(1);
  Network network(ChainBuilder({4}).gemm(4, 2).done({2}), {.batch = 3, .loss = kSquares}, pool);
  const std::vector<float> inputs(16), targets(8);
  std::vector<float> outputs(8);
  EXPECT_THROW(network.train_batch(inputs, targets, 4, 0), Error) << "more than a batch";
  EXPECT_THROW(network.train_batch(inputs, targets, 3, 0), Error);
  EXPECT_THROW(network.train_batch({}, {}, 0, 0), Error);
  EXPECT_THROW(network.predict(inputs, 3, outputs), Error);
  EXPECT_NO_THROW(network.predict(inputs, 4, outputs)) << "prediction takes any number";
}

TEST(Network, LossesAreThoseOfKeras) {
  ThreadPool pool(1);
  Network squares(ChainBuilder({4}).gemm(4, 3).done({3}), {.batch = 2, .loss = kSquares}, pool);
  Network entropy(ChainBuilder({4}).gemm(4, 3).node("Softmax").done({3}), {.batch = 2}, pool);
  const auto inputs = random_values(8, -1, 1, 5);
  const std::vector<float> targets{0, 1, 0, 0, 0, 1};
  std::vector<float> y(6), p(6);
  squares.predict(inputs, 2, y);
  entropy.predict(inputs, 2, p);
  double square = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    square += (y[i] - targets[i]) * (y[i] - targets[i]) / 3;
  }
  EXPECT_NEAR(squares.train_batch(inputs, targets, 2, 0).loss_sum, square, 1e-6);
  const BatchResult result = entropy.train_batch(inputs, targets, 2, 0);
  EXPECT_NEAR(result.loss_sum, -std::log(p[1]) - std::log(p[5]), 1e-6);
  const int correct = (p[1] > std::max(p[0], p[2])) + (p[5] > std::max(p[3], p[4]));
  EXPECT_EQ(result.correct, correct);
}

Graph dropout_graph() {
  ChainBuilder b({1, 12, 12});
  b.conv(1, 16, {3, 3}).node("Relu").node("Dropout", {b.constant({}, {0.25F})});
  return b.node("Flatten").gemm(1600, 3).done({3});
}

TEST(Network, DropoutDependsOnSeedAndStepNotOnPieces) {
  ThreadPool pool(2);
  const auto loss = [&](std::int64_t piece, std::uint64_t seed, std::uint64_t step) {
    Network network(dropout_graph(), {.batch = 6, .piece = piece, .loss = kSquares, .seed = seed},
                    pool);
    const auto inputs = random_values(6 * 144, 0, 1, 5);
    return network.train_batch(inputs, std::vector<float>(18), 6, step).loss_sum;
  };
  const double base = loss(2, 1, 1);
  EXPECT_EQ(loss(2, 1, 1), base);
  EXPECT_NEAR(loss(6, 1, 1), base, 1e-5 * base);
  EXPECT_NEAR(loss(1, 1, 1), base, 1e-5 * base);
  EXPECT_GT(std::abs(loss(2, 2, 1) - base), 1e-3 * base);
  EXPECT_GT(std::abs(loss(2, 1, 2) - base), 1e-3 * base);
}

/// ONNX's formulas in double precision.
TEST(Network, BatchNormTakesStatisticsOfTheWholeBatch) {
  constexpr std::int64_t kSamples = 7, kChannels = 5, kPixels = 6;
  ChainBuilder b({kChannels, 2, 3});
  b.batch_norm(kChannels);
  const Graph graph = b.node("Flatten").gemm(kChannels * kPixels, 2).done({2});
  ThreadPool pool(2);
  Network network(graph, {.batch = kSamples, .piece = 2, .loss = kSquares}, pool);
  const std::vector<float> before(network.state().begin(), network.state().end());
  const auto inputs = random_values(kSamples * kChannels * kPixels, 3, 5, 6);
  const std::vector<float> targets(kSamples * 2);
  const double loss = network.train_batch(inputs, targets, kSamples, 0).loss_sum;

  const auto p = network.parameters();  // scale, bias, weights [2, 30], bias
  std::vector<double> normal(inputs.size());
  for (std::size_t c = 0; c < kChannels; ++c) {
    const auto at = [&](std::size_t i) {
      return (i / kPixels * kChannels + c) * kPixels + i % kPixels;
    };
    constexpr std::size_t kCount = kSamples * kPixels;
    double mean = 0, variance = 0;
    for (std::size_t i = 0; i < kCount; ++i) {
      mean += inputs[at(i)] / double{kCount};
    }
    for (std::size_t i = 0; i < kCount; ++i) {
      variance += (inputs[at(i)] - mean) * (inputs[at(i)] - mean) / double{kCount};
    }
    EXPECT_NEAR(network.state()[c], before[c] * 0.9 + mean * 0.1, 1e-6) << "running mean";
    EXPECT_NEAR(network.state()[kChannels + c], before[kChannels + c] * 0.9 + variance * 0.1, 1e-6)
        << "running variance";
    for (std::size_t i = 0; i < kCount; ++i) {
      normal[at(i)] = (inputs[at(i)] - mean) / std::sqrt(variance + 1e-3) * p[c] + p[kChannels + c];
    }
  }
  double expected = 0;
  for (std::size_t n = 0; n < kSamples; ++n) {
    for (std::size_t o = 0; o < 2; ++o) {
      constexpr std::size_t kFeatures = kChannels * kPixels;
      double y = p[2 * kChannels + 2 * kFeatures + o];
      for (std::size_t f = 0; f < kFeatures; ++f) {
        y += normal[n * kFeatures + f] * p[2 * kChannels + o * kFeatures + f];
      }
      expected += y * y / 2;
    }
  }
  EXPECT_NEAR(loss, expected, 1e-5 * expected);
}

TEST(Network, ReshapeToVectorsIsFlatten) {
  ThreadPool pool(1);
  ChainBuilder flat({2, 3, 3}), reshaped({2, 3, 3});
  const Graph one = flat.conv(2, 5, {2, 2}).node("Flatten").gemm(20, 2).done({2});
  Graph other = reshaped.conv(2, 5, {2, 2}).node("Reshape", {"to"}).gemm(20, 2).done({2});
  const std::vector<std::int64_t> to{0, -1};
  other.initializers.push_back({"to", Tensor::of<std::int64_t>({2}, to), ""});
  const auto inputs = random_values(18, -1, 1, 2);
  std::vector<float> a(2), c(2);
  Network(one, {.loss = kSquares}, pool).predict(inputs, 1, a);
  Network(other, {.loss = kSquares}, pool).predict(inputs, 1, c);
  EXPECT_EQ(a, c);
}

TEST(Network, TrainedGraphCarriesParametersAndState) {
  ThreadPool pool(1);
  ChainBuilder b({3, 4, 4});
  b.conv(3, 6, {3, 3}).batch_norm(6);
  Network network(b.node("Flatten").gemm(24, 2).done({2}), {.batch = 2, .loss = kSquares}, pool);
  network.parameters()[5] = 42;
  network.parameters_changed();
  network.train_batch(random_values(96, 0, 1, 1), std::vector<float>(4), 2, 0);
  const Graph trained = network.trained_graph();
  EXPECT_EQ(trained.find_initializer("w0")->tensor.values<float>()[5], 42);
  const auto& state = network.state_layout().at(0);
  EXPECT_EQ(trained.find_initializer(state.name)->tensor.values<float>()[0], network.state()[0]);

  Network again(trained, {.batch = 2, .loss = kSquares}, pool);
  const auto inputs = random_values(48, 0, 1, 2);
  std::vector<float> first(2), second(2);
  network.predict(inputs, 1, first);
  again.predict(inputs, 1, second);
  EXPECT_EQ(first, second);
}

TEST(Network, ProfileNamesEveryNodeWithItsWork) {
  ThreadPool pool(2);
  Network network(dropout_graph(), {.batch = 4, .piece = 2, .loss = kSquares}, pool);
  const auto times = network.profile(random_values(4 * 144, 0, 1, 1), std::vector<float>(12), 4);
  double flops = 0;
  for (const auto& time : times) {
    flops += time.flops;
    EXPECT_FALSE(time.implementation.empty());
    EXPECT_EQ(time.implementation.find("ref"), std::string::npos) << time.node;
  }
  EXPECT_DOUBLE_EQ(flops, 4 * network.train_flops());
  // Conv: forward and weights; Gemm: also the data's.
  EXPECT_DOUBLE_EQ(network.train_flops(), 2 * (2.0 * 9 * 16 * 100) + 3 * (2.0 * 1600 * 3));
}

TEST(Network, ThePieceDividesTheBatchEvenlyAndFollowsTheActivations) {
  ThreadPool pool(1);
  const auto piece = [&](std::int64_t batch) {
    return Network(dropout_graph(), {.batch = batch, .loss = kSquares}, pool).piece();
  };
  EXPECT_EQ(piece(1), 1);
  EXPECT_EQ(piece(8), 4);
  EXPECT_LT(piece(4096), 400);
  EXPECT_THROW(Network(dropout_graph(), {.batch = 2, .piece = 3, .loss = kSquares}, pool), Error);
}

TEST(Processor, YardstickIsPositive) {
  ThreadPool pool(2);
  EXPECT_GT(matmul_peak_gflops(Precision::kFloat32, pool, 1), 0);
}

}  // namespace
}  // namespace onnxop
