#include "onnxop/workflow/measure_latency.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"
#include "onnxop/score/fake_scorer.h"

namespace onnxop {
namespace {

// Each run takes as long as the list says next; the last goes on.
FakeScorer slow_scorer(FakeClock& clock, std::vector<int> milliseconds) {
  const std::vector<TensorInfo> info{{"x", DType::kFloat32, {-1, 3}}};
  return {info, info, [&clock, milliseconds, run = std::size_t{0}](auto inputs) mutable {
            EXPECT_EQ(inputs.front().tensor.shape(), (Shape{1, 3}));
            const std::size_t i = std::min(run++, milliseconds.size() - 1);
            clock.advance(std::chrono::milliseconds(milliseconds[i]));
            return std::vector<NamedTensor>();
          }};
}

TEST(MeasureLatency, IsTheMedianAfterTheWarmUp) {
  FakeClock clock;
  std::vector<int> times(10, 1000);  // not counted
  times.insert(times.end(), {90, 1, 90, 1, 7});
  FakeScorer scorer = slow_scorer(clock, times);
  EXPECT_NEAR(measure_latency_ms(scorer, clock), 7, 1e-9);
  EXPECT_EQ(scorer.runs(), 210);
}

TEST(MeasureLatency, ASlowModelRunsAFewTimesOnly) {
  FakeClock clock;
  FakeScorer scorer = slow_scorer(clock, {5000});
  EXPECT_NEAR(measure_latency_ms(scorer, clock), 5000, 1e-9);
  EXPECT_EQ(scorer.runs(), 15);
}

TEST(MeasureLatency, TextsAreRefused) {
  FakeClock clock;
  const std::vector<TensorInfo> info{{"x", DType::kString, {-1}}};
  FakeScorer scorer(info, info, {});
  EXPECT_EQ(code_of([&] { measure_latency_ms(scorer, clock); }), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace onnxop
