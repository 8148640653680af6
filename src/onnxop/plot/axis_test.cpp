#include "onnxop/plot/axis.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace onnxop {
namespace {

using testing::ElementsAre;

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> labels;
  for (const auto& tick : axis.ticks) {
    labels.push_back(tick.label);
  }
  return labels;
}

TEST(Axis, TicksAreRoundAndTold) {
  EXPECT_THAT(labels(make_axis(0.013, 0.94, AxisKind::kLinear, 6)),
              ElementsAre("0.0", "0.2", "0.4", "0.6", "0.8"));
  EXPECT_THAT(labels(make_axis(-3, 7, AxisKind::kLinear, 6)),
              ElementsAre("-2", "0", "2", "4", "6"));
  EXPECT_THAT(labels(make_axis(0.9912, 0.9934, AxisKind::kLinear, 5)),
              ElementsAre("0.9915", "0.9920", "0.9925", "0.9930"));
}

TEST(Axis, WholeNumbersHaveNoFractions) {
  EXPECT_THAT(labels(make_axis(1, 3, AxisKind::kWhole, 10)), ElementsAre("1", "2", "3"));
  EXPECT_THAT(labels(make_axis(1, 1, AxisKind::kWhole, 10)), ElementsAre("1"));
}

TEST(Axis, LargeAndSmallNumbersAreScientific) {
  EXPECT_THAT(labels(make_axis(0, 4e6, AxisKind::kLinear, 5)),
              ElementsAre("0", "1e6", "2e6", "3e6", "4e6"));
  EXPECT_THAT(labels(make_axis(1e-8, 3e-8, AxisKind::kLinear, 3)),
              ElementsAre("1e-8", "2e-8", "3e-8"));
}

TEST(Axis, LogarithmicTicksArePowers) {
  EXPECT_THAT(labels(make_axis(0.002, 900, AxisKind::kLog, 6)),
              ElementsAre("0.01", "0.1", "1", "10", "100", "1000"));
  EXPECT_THAT(labels(make_axis(0.3, 4, AxisKind::kLog, 6)), ElementsAre("0.5", "1", "2"));
  EXPECT_THAT(labels(make_axis(1e-30, 1e30, AxisKind::kLog, 4)).size(), testing::Le(5U));
  EXPECT_GE(labels(make_axis(2.2, 2.4, AxisKind::kLog, 6)).size(), 2U)
      << "no power lies between, so plain values stand there";
}

TEST(Axis, HoldsItsValuesWhateverTheyAre) {
  for (const auto kind : {AxisKind::kLinear, AxisKind::kWhole, AxisKind::kLog}) {
    for (const auto& [low, high] : std::vector<std::pair<double, double>>{
             {1, 1}, {5e-300, 5e-300}, {1e300, 1e300}, {1e-300, 1e300}, {3, 3.0000000000000004}}) {
      const Axis axis = make_axis(low, high, kind, 6);
      EXPECT_GT(axis.high, axis.low) << low << " to " << high;
      EXPECT_TRUE(std::isfinite(axis.place(low))) << low << " to " << high;
      EXPECT_GE(axis.place(low), 0);
      EXPECT_LE(axis.place(high), 1);
      EXPECT_LE(axis.ticks.size(), 20U);
    }
  }
  const Axis negative = make_axis(-1e300, 1e300, AxisKind::kLinear, 6);
  EXPECT_GE(negative.ticks.size(), 2U);
  EXPECT_EQ(make_axis(0, 0, AxisKind::kLinear, 5).place(0), 0.5);
}

}  // namespace
}  // namespace onnxop
