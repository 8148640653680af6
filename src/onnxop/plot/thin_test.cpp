#include "onnxop/plot/thin.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace onnxop {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Thin, PointsAreSortedAndWhatCannotBeDrawnIsAGap) {
  const auto points = drawable_points(
      {{2, 5}, {1, kInfinity}, {kNan, 1}, {3, -1}, {kInfinity, 2}, {4, 1.7e308}}, false);
  ASSERT_EQ(points.size(), 4U);
  EXPECT_EQ(points[0].x, 1);
  EXPECT_TRUE(std::isnan(points[0].y));
  EXPECT_EQ(points[2].y, -1);
  EXPECT_EQ(points[3].y, 1e300);
  EXPECT_TRUE(std::isnan(drawable_points({{1, 0}}, true)[0].y)) << "no logarithm";
}

TEST(Thin, ShortSeriesStay) {
  const std::vector<PlotPoint> points{{1, 1}, {2, kNan}, {3, 3}};
  EXPECT_EQ(thin_points(points, 1).size(), 3U);
}

TEST(Thin, ExtremesStayAndOrderToo) {
  std::vector<PlotPoint> points;
  for (int i = 0; i < 100'000; ++i) {
    points.push_back({static_cast<double>(i), i == 54'321   ? 9.0
                                              : i == 54'322 ? -9.0
                                                            : 0.1 * (i % 3)});
  }
  const auto thinned = thin_points(points, 500);
  EXPECT_LE(thinned.size(), 4U * 501);
  EXPECT_TRUE(std::ranges::is_sorted(thinned, {}, &PlotPoint::x));
  const auto [low, high] = std::ranges::minmax(thinned, {}, &PlotPoint::y);
  EXPECT_EQ(low.y, -9);
  EXPECT_EQ(high.y, 9);
  EXPECT_EQ(thinned.front().x, 0);
  EXPECT_EQ(thinned.back().x, 99'999);
}

TEST(Thin, WideGapsStayGaps) {
  std::vector<PlotPoint> points;
  for (int i = 0; i < 10'000; ++i) {
    points.push_back({static_cast<double>(i), i >= 4000 && i < 6000 ? kNan : 1.0});
  }
  EXPECT_EQ(split_at_gaps(thin_points(points, 100)).size(), 2U);
}

TEST(Thin, ManyPointsAtOneX) {
  EXPECT_LE(thin_points(std::vector<PlotPoint>(1000, {7, 1}), 10).size(), 4U);
}

}  // namespace
}  // namespace onnxop
