#include "onnxop/train/schedule.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace onnxop {
namespace {

constexpr std::int64_t kSteps = 10;  // an epoch
constexpr std::int64_t kEpochs = 8;

double rate(const ScheduleSpec& schedule, std::int64_t step) {
  return learning_rate_at(schedule, 0.5, step, kSteps, kEpochs);
}

TEST(ScheduleTest, ConstantStays) {
  for (std::int64_t step = 0; step < kSteps * kEpochs; ++step) {
    EXPECT_EQ(rate({}, step), 0.5);
  }
}

TEST(ScheduleTest, StepDropsAtWholeEpochs) {
  const ScheduleSpec schedule = {.kind = ScheduleKind::kStep, .every_epochs = 3, .factor = 0.1};
  EXPECT_DOUBLE_EQ(rate(schedule, 0), 0.5);
  EXPECT_DOUBLE_EQ(rate(schedule, 29), 0.5);
  EXPECT_DOUBLE_EQ(rate(schedule, 30), 0.05);
  EXPECT_DOUBLE_EQ(rate(schedule, 59), 0.05);
  EXPECT_DOUBLE_EQ(rate(schedule, 60), 0.005);
}

TEST(ScheduleTest, CosineFallsToItsEnd) {
  const ScheduleSpec schedule = {.kind = ScheduleKind::kCosine, .final_factor = 0.1};
  EXPECT_DOUBLE_EQ(rate(schedule, 0), 0.5);
  EXPECT_DOUBLE_EQ(rate(schedule, 40), 0.5 * 0.55);
  EXPECT_DOUBLE_EQ(rate(schedule, 80), 0.05);
  for (std::int64_t step = 1; step < 80; ++step) {
    EXPECT_LT(rate(schedule, step), rate(schedule, step - 1));
    EXPECT_NEAR(
        rate(schedule, step),
        0.5 * (0.1 + 0.9 * 0.5 * (1 + std::cos(std::numbers::pi * static_cast<double>(step) / 80))),
        1e-12);
  }
}

TEST(ScheduleTest, WarmUpGrowsLinearlyThenCosineBegins) {
  const ScheduleSpec schedule = {.kind = ScheduleKind::kCosine, .warmup_epochs = 2};
  EXPECT_DOUBLE_EQ(rate(schedule, 0), 0.5 / 20);
  EXPECT_DOUBLE_EQ(rate(schedule, 9), 0.25);
  EXPECT_DOUBLE_EQ(rate(schedule, 19), 0.5);
  EXPECT_DOUBLE_EQ(rate(schedule, 20), 0.5);
  EXPECT_DOUBLE_EQ(rate(schedule, 50), 0.25);
  EXPECT_NEAR(rate(schedule, 80), 0, 1e-15);
}

TEST(ScheduleTest, WarmUpMayBePartOfAnEpochOrLongerThanTheTraining) {
  EXPECT_DOUBLE_EQ(rate({.warmup_epochs = 0.5}, 2), 0.3);
  EXPECT_DOUBLE_EQ(rate({.warmup_epochs = 0.5}, 5), 0.5);
  const double last = rate({.kind = ScheduleKind::kCosine, .warmup_epochs = 100}, 79);
  EXPECT_DOUBLE_EQ(last, 0.5 * 80 / 1000);
}

}  // namespace
}  // namespace onnxop
