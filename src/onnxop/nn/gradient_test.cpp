// Every operator's gradient against central finite differences of the loss, weight by weight; and
// the same sums whatever the threads and pieces.

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <ostream>

#include <gtest/gtest.h>

#include "onnxop/nn/network.h"
#include "onnxop/nn/test_graphs.h"

namespace onnxop {
namespace {

using nn_test::ChainBuilder;
using nn_test::random_values;

struct Case {
  std::string name;
  std::function<Graph()> graph;
  LossKind loss = LossKind::kMeanSquaredError;

  /// Piecewise linear operators want short steps, or too many cross a kink; the others want long
  /// ones, which a float32 loss resolves better.
  bool kinked() const {
    return name.find("relu") != std::string::npos || name.find("max_pool") != std::string::npos;
  }
};

void PrintTo(const Case& test_case, std::ostream* out) {
  *out << test_case.name;
}

using Ints = std::vector<std::int64_t>;

Graph dense_end(ChainBuilder& builder, std::int64_t features) {
  return builder.node("Flatten").gemm(features, 3).done({3});
}

ChainBuilder small_conv() {
  return std::move(ChainBuilder({3, 7, 6}).conv(3, 5, {3, 2}, {1, 1}, {1, 0, 1, 1}));
}

std::vector<Case> cases() {
  const auto pool = [](const std::string& op, const Ints& kernel, const Ints& strides,
                       const Ints& pads, std::int64_t features, std::int64_t count_padding) {
    return [=] {
      std::map<std::string, AttributeValue> attributes{
          {"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}};
      if (op == "AveragePool") {
        attributes["count_include_pad"] = count_padding;
      }
      return dense_end(small_conv().node(op, {}, attributes).conv(5, 4, {1, 1}), features * 4 / 5);
    };
  };
  const auto activation = [](const std::string& op) {
    return [=] { return dense_end(small_conv().node(op).conv(5, 4, {1, 1}), 4 * 42); };
  };
  return {
      {"gemm", [] { return ChainBuilder({6}).gemm(6, 4).gemm(4, 3).done({3}); }},
      {"gemm_softmax",
       [] {
         return ChainBuilder({6}).gemm(6, 4).node("Tanh").gemm(4, 3).node("Softmax").done({3});
       },
       LossKind::kCategoricalCrossentropy},
      {"matmul_add",
       [] {
         ChainBuilder b({6});
         const auto w = b.weight({6, 3}, -0.5F, 0.5F);
         const auto bias = b.weight({3}, -0.5F, 0.5F);
         return b.node("MatMul", {w}).node("Add", {bias}).node("Relu").gemm(3, 3).done({3});
       }},
      {"conv",
       [] {
         return dense_end(small_conv().conv(5, 4, {3, 3}), 4 * 5 * 4);
       }},
      {"conv_strides",
       [] {
         return dense_end(
             ChainBuilder({2, 9, 8}).conv(2, 3, {3, 3}, {2, 3}, {1, 1, 1, 1}).conv(3, 4, {2, 2}),
             4 * 4 * 2);
       }},
      {"conv_one_channel_relu",
       [] {
         return dense_end(
             ChainBuilder({1, 8, 8}).conv(1, 16, {3, 3}).node("Relu").conv(16, 32, {3, 3}),
             32 * 4 * 4);
       }},
      {"conv_relu_pool",
       [] {
         return dense_end(
             ChainBuilder({2, 8, 8})
                 .conv(2, 16, {3, 3})
                 .node("Relu")
                 .node("MaxPool", {}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}})
                 .conv(16, 4, {2, 2}),
             4 * 2 * 2);
       }},
      {"relu_alone",
       [] {
         return dense_end(
             small_conv()
                 .node("MaxPool", {}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}})
                 .node("Relu")
                 .conv(5, 4, {1, 1}),
             4 * 9);
       }},
      {"leaky_relu", activation("LeakyRelu")},
      {"elu", activation("Elu")},
      {"sigmoid", activation("Sigmoid")},
      {"tanh", activation("Tanh")},
      {"softplus", activation("Softplus")},
      {"max_pool_overlapping", pool("MaxPool", {3, 3}, {2, 1}, {1, 1, 1, 1}, 5 * 4 * 6, 0)},
      {"average_pool", pool("AveragePool", {2, 3}, {2, 2}, {0, 1, 0, 1}, 5 * 3 * 3, 0)},
      {"average_pool_counting_padding",
       pool("AveragePool", {2, 3}, {2, 2}, {0, 1, 0, 1}, 5 * 3 * 3, 1)},
      {"global_average_pool",
       [] {
         return dense_end(small_conv().node("GlobalAveragePool").conv(5, 4, {1, 1}), 4);
       }},
      {"batch_norm_images",
       [] {
         return dense_end(small_conv().batch_norm(5).conv(5, 4, {1, 1}), 4 * 42);
       }},
      {"batch_norm_features",
       [] { return dense_end(small_conv().node("Flatten").batch_norm(210), 210); }},
      {"scaled_channels_last",
       [] {
         ChainBuilder b({5, 6, 3});
         const auto scale = b.constant({3}, {0.5F, 2.0F, -1.0F});
         const auto mean = b.constant({}, {0.1F});
         b.node("Sub", {mean})
             .node("Mul", {scale})
             .node("Transpose", {}, {{"perm", Ints{0, 3, 1, 2}}});
         return dense_end(b.conv(3, 4, {3, 3}), 4 * 3 * 4);
       }},
  };
}

struct Problem {
  Problem(const Case& test_case, std::int64_t samples, const NetworkOptions& options,
          ThreadPool& pool)
      : n(samples), network(test_case.graph(), options, pool) {
    inputs = random_values(n * network.input_size(), -1, 1, 11);
    targets = random_values(n * network.output_size(), 0, 1, 12);
    if (options.loss == LossKind::kCategoricalCrossentropy) {
      std::fill(targets.begin(), targets.end(), 0.0F);
      for (std::int64_t i = 0; i < n; ++i) {
        targets[static_cast<std::size_t>(i * network.output_size() + i % network.output_size())] =
            1;
      }
    }
  }

  double loss() {
    network.parameters_changed();
    return network.train_batch(inputs, targets, n, 1).loss_sum / static_cast<double>(n);
  }

  std::int64_t n;
  Network network;
  std::vector<float> inputs, targets;
};

class Gradient : public testing::TestWithParam<Case> {};

/// Float32 forward passes limit how well a difference can be taken: steps that fall on a kink of
/// ReLU or MaxPool are told by two step widths that disagree, and are few.
TEST_P(Gradient, IsTheSlopeOfTheLoss) {
  ThreadPool pool(1);
  Problem problem(GetParam(), 5, {.batch = 5, .piece = 2, .loss = GetParam().loss}, pool);
  problem.loss();
  const std::vector<float> gradients(problem.network.gradients().begin(),
                                     problem.network.gradients().end());
  const auto parameters = problem.network.parameters();
  const auto slope = [&](std::size_t i, float width) {
    const float before = parameters[i];
    parameters[i] = before + width;
    const float up = parameters[i];
    const double high = problem.loss();
    parameters[i] = before - width;
    const float down = parameters[i];
    const double low = problem.loss();
    parameters[i] = before;
    return (high - low) / (static_cast<double>(up) - down);
  };
  std::size_t checked = 0;
  std::size_t kinks = 0;
  const std::size_t stride = std::max<std::size_t>(1, parameters.size() / 150);
  for (std::size_t i = 0; i < parameters.size(); i += stride) {
    const double wide = slope(i, GetParam().kinked() ? 1e-3F : 1e-2F);
    const double narrow = slope(i, GetParam().kinked() ? 5e-4F : 5e-3F);
    const double tolerance = 5e-4 + 1e-2 * std::abs(narrow);
    if (std::abs(wide - narrow) > tolerance) {
      ++kinks;
      continue;
    }
    ++checked;
    EXPECT_NEAR(gradients[i], narrow, tolerance) << "weight " << i;
  }
  EXPECT_LE(kinks * 5, checked) << "too few smooth points";
}

TEST_P(Gradient, DoesNotDependOnThreadsAndHardlyOnPieces) {
  ThreadPool one(1);
  ThreadPool three(3);
  const auto gradients = [&](ThreadPool& pool, std::int64_t piece) {
    Problem problem(GetParam(), 7, {.batch = 7, .piece = piece, .loss = GetParam().loss}, pool);
    problem.loss();
    return std::vector<float>(problem.network.gradients().begin(),
                              problem.network.gradients().end());
  };
  const auto reference = gradients(one, 2);
  EXPECT_EQ(gradients(three, 2), reference) << "bit for bit";
  const auto whole = gradients(one, 7);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_NEAR(whole[i], reference[i], 1e-5 + 1e-4 * std::abs(reference[i]));
  }
}

TEST_P(Gradient, Bfloat16IsNear) {
  if (!supports_precision(Precision::kBfloat16)) {
    GTEST_SKIP() << "no bfloat16 on this processor";
  }
  ThreadPool pool(1);
  const auto gradients = [&](Precision precision) {
    Problem problem(GetParam(), 6,
                    {.batch = 6, .piece = 3, .precision = precision, .loss = GetParam().loss},
                    pool);
    problem.loss();
    return std::vector<float>(problem.network.gradients().begin(),
                              problem.network.gradients().end());
  };
  const auto exact = gradients(Precision::kFloat32);
  const auto rounded = gradients(Precision::kBfloat16);
  double dot = 0;
  double exact_norm = 0;
  double rounded_norm = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    dot += static_cast<double>(exact[i]) * rounded[i];
    exact_norm += static_cast<double>(exact[i]) * exact[i];
    rounded_norm += static_cast<double>(rounded[i]) * rounded[i];
  }
  EXPECT_GT(dot / std::sqrt(exact_norm * rounded_norm), 0.99) << "the same direction";
  EXPECT_NEAR(std::sqrt(rounded_norm / exact_norm), 1, 0.05);
}

INSTANTIATE_TEST_SUITE_P(Operators, Gradient, testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace onnxop
