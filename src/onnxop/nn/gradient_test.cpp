// Every operator's gradient against central finite differences of the loss, weight by weight; and
// the same sums whatever the threads and pieces.

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "onnxop/nn/network.h"
#include "onnxop/nn/test_cases.h"

namespace onnxop {
namespace {

using nn_test::Case;
using nn_test::cases;
using nn_test::random_values;

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
