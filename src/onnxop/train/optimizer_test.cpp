#include "onnxop/train/optimizer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/random.h"

namespace onnxop {
namespace {

constexpr std::size_t kSize = 40'001;  // several pieces and a rest

std::vector<float> draw(std::uint64_t stream, std::size_t n = kSize) {
  Random random(3, stream);
  std::vector<float> values(n);
  for (float& value : values) {
    value = random.uniform(-1, 1);
  }
  return values;
}

/// The formulas as Keras 3 documents them, in double precision, one element at a time.
struct Reference {
  OptimizerSpec spec;
  std::vector<double> p, a, b;
  int t = 0;

  Reference(const OptimizerSpec& s, const std::vector<float>& start)
      : spec(s), p(start.begin(), start.end()), a(start.size()), b(start.size()) {}

  void step(const std::vector<float>& gradients, double lr) {
    ++t;
    for (std::size_t i = 0; i < p.size(); ++i) {
      one(i, gradients[i], lr);
    }
  }

  void one(std::size_t i, double g, double lr) {
    switch (spec.kind) {
      case OptimizerKind::kSgd:
        a[i] = spec.momentum * a[i] - lr * g;
        p[i] += spec.nesterov ? spec.momentum * a[i] - lr * g : a[i];
        return;
      case OptimizerKind::kRmsprop:
        a[i] = spec.rho * a[i] + (1 - spec.rho) * g * g;
        b[i] = spec.momentum * b[i] + lr * g / std::sqrt(a[i] + spec.epsilon);
        p[i] -= b[i];
        return;
      case OptimizerKind::kAdamW:
        p[i] -= p[i] * spec.weight_decay * lr;
        [[fallthrough]];
      case OptimizerKind::kAdam: {
        a[i] = spec.beta_1 * a[i] + (1 - spec.beta_1) * g;
        b[i] = spec.beta_2 * b[i] + (1 - spec.beta_2) * g * g;
        const double alpha =
            lr * std::sqrt(1 - std::pow(spec.beta_2, t)) / (1 - std::pow(spec.beta_1, t));
        p[i] -= a[i] * alpha / (std::sqrt(b[i]) + spec.epsilon);
        return;
      }
      case OptimizerKind::kAdadelta: {
        a[i] = spec.rho * a[i] + (1 - spec.rho) * g * g;
        const double delta = -std::sqrt(b[i] + spec.epsilon) * g / std::sqrt(a[i] + spec.epsilon);
        b[i] = spec.rho * b[i] + (1 - spec.rho) * delta * delta;
        p[i] += lr * delta;
        return;
      }
    }
  }
};

std::vector<OptimizerSpec> all_kinds() {
  std::vector<OptimizerSpec> specs(7);
  specs[0].kind = OptimizerKind::kSgd;
  specs[1] = {.kind = OptimizerKind::kSgd, .momentum = 0.9};
  specs[2] = {.kind = OptimizerKind::kSgd, .momentum = 0.9, .nesterov = true};
  specs[3] = {.kind = OptimizerKind::kRmsprop, .rho = 0.9};
  specs[4] = {.kind = OptimizerKind::kRmsprop, .momentum = 0.5, .rho = 0.9};
  specs[5].kind = OptimizerKind::kAdam;
  specs[6] = {.kind = OptimizerKind::kAdamW, .weight_decay = 0.1};
  specs.push_back({.kind = OptimizerKind::kAdadelta, .rho = 0.95});
  return specs;
}

TEST(OptimizerTest, FollowsTheFormulas) {
  ThreadPool pool(2);
  for (const auto& spec : all_kinds()) {
    for (const double epsilon : {1e-7, 0.1}) {
      OptimizerSpec with = spec;
      with.epsilon = epsilon;
      std::vector<float> parameters = draw(0);
      Optimizer optimizer(with, kSize, pool);
      Reference reference(with, parameters);
      for (int step = 0; step < 20; ++step) {
        const auto gradients = draw(static_cast<std::uint64_t>(step) + 1);
        const double rate = 0.02 / (1 + step);
        optimizer.step(parameters, gradients, rate);
        reference.step(gradients, rate);
        for (std::size_t i = 0; i < kSize; ++i) {
          ASSERT_NEAR(parameters[i], reference.p[i], 3e-6)
              << static_cast<int>(spec.kind) << " step " << step;
        }
      }
      EXPECT_EQ(optimizer.steps(), 20);
    }
  }
}

TEST(OptimizerTest, SameBitsForAnyNumberOfThreads) {
  for (const auto& spec : all_kinds()) {
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      std::vector<float> parameters = draw(0);
      Optimizer optimizer(spec, kSize, pool);
      for (std::uint64_t step = 1; step < 5; ++step) {
        optimizer.step(parameters, draw(step), 0.01);
      }
      results.push_back(parameters);
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
  }
}

TEST(OptimizerTest, GoesOnFromRestoredState) {
  ThreadPool pool(1);
  for (const auto& spec : all_kinds()) {
    std::vector<float> straight = draw(0), resumed = straight;
    Optimizer whole(spec, kSize, pool), first(spec, kSize, pool), second(spec, kSize, pool);
    for (std::uint64_t step = 1; step <= 6; ++step) {
      whole.step(straight, draw(step), 0.01);
      if (step == 4) {
        second.restore(first.state(), first.steps());
      }
      (step < 4 ? first : second).step(resumed, draw(step), 0.01);
    }
    EXPECT_EQ(straight, resumed);
  }
}

TEST(OptimizerTest, RefusesOtherSizes) {
  ThreadPool pool(1);
  Optimizer optimizer({}, 10, pool);
  std::vector<float> ten(10), nine(9);
  EXPECT_THROW(optimizer.step(nine, ten, 0.1), Error);
  EXPECT_THROW(optimizer.step(ten, nine, 0.1), Error);
  EXPECT_THROW(optimizer.restore(ten, 1), Error);
}

}  // namespace
}  // namespace onnxop
