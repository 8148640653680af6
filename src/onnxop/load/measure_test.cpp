#include "onnxop/load/measure.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

TEST(Percentile, IsTheNearestRank) {
  const std::vector<double> values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(percentile(values, 50), 5);
  EXPECT_EQ(percentile(values, 51), 6);
  EXPECT_EQ(percentile(values, 90), 9);
  EXPECT_EQ(percentile(values, 99), 10);
  EXPECT_EQ(percentile(values, 100), 10);
  EXPECT_EQ(percentile(values, 0), 1);
  EXPECT_EQ(percentile(std::vector<double>{7}, 50), 7);
  EXPECT_EQ(percentile({}, 50), 0);
}

/// The definition, counted out: the smallest value that at least that part is not larger than.
TEST(Percentile, AgreesWithCounting) {
  const std::vector<double> values{1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89};
  for (double percent = 1; percent <= 100; percent += 0.5) {
    const auto reached = [&](double value) {
      const auto count =
          std::count_if(values.begin(), values.end(), [&](double each) { return each <= value; });
      return static_cast<double>(count) * 100 >= percent * static_cast<double>(values.size());
    };
    EXPECT_EQ(percentile(values, percent), *std::find_if(values.begin(), values.end(), reached))
        << percent;
  }
}

TEST(LatencySummary, SortsFirst) {
  const LatencySummary summary = summarize_latencies({30, 10, 20, 40});
  EXPECT_EQ(summary.mean_ms, 25);
  EXPECT_EQ(summary.p50_ms, 20);
  EXPECT_EQ(summary.p90_ms, 40);
  EXPECT_EQ(summary.max_ms, 40);
  EXPECT_EQ(summarize_latencies({}).max_ms, 0);
  EXPECT_EQ(latency_at(summary, 50), 20);
  EXPECT_EQ(latency_at(summary, 99), 40);
  EXPECT_THROW(latency_at(summary, 42), Error);
}

TEST(LoadFigures, CountAnswersAndErrorsOfAllWindows) {
  const std::vector<LoadWindow> windows{
      {2, {{10, 1, 200}, {20, 3, 204}, {99, 0, 500}}},
      {3, {{30, 2, 200}, {99, 0, 0}, {99, 0, 500}, {99, 0, 302}}},
  };
  const LoadFigures figures = figures_of(windows);
  EXPECT_EQ(figures.seconds, 5);
  EXPECT_EQ(figures.answered, 3);
  EXPECT_EQ(figures.errors, 4);
  EXPECT_THAT(
      figures.errors_by_status,
      testing::ElementsAre(testing::Pair(0, 1), testing::Pair(302, 1), testing::Pair(500, 2)));
  EXPECT_DOUBLE_EQ(figures.per_second, 0.6);
  EXPECT_EQ(figures.latency.max_ms, 30) << "errors have no latency";
  EXPECT_EQ(figures.latency.p50_ms, 20);
  EXPECT_EQ(figures.client_ms, 2);
  EXPECT_EQ(figures_of({}).per_second, 0);
}

LoadFigures window(double per_second, double p95_ms) {
  LoadFigures figures;
  figures.per_second = per_second;
  figures.latency.p95_ms = p95_ms;
  return figures;
}

TEST(WindowsAgree, InThroughputAndLatency) {
  const WindowRule rule;
  EXPECT_FALSE(windows_agree({}, rule));
  std::vector<LoadFigures> windows{window(100, 10), window(109, 10)};
  EXPECT_FALSE(windows_agree(windows, rule)) << "two are not three";
  windows.push_back(window(95, 10.5));
  EXPECT_TRUE(windows_agree(windows, rule));
  windows.push_back(window(130, 10));
  EXPECT_FALSE(windows_agree(windows, rule)) << "130 is 17 % over the mean of 109, 95, 130";
  windows.push_back(window(125, 10));
  windows.push_back(window(128, 10));
  EXPECT_TRUE(windows_agree(windows, rule)) << "what came before does not count";
  windows.push_back(window(128, 13));
  EXPECT_FALSE(windows_agree(windows, rule)) << "the latency does not";
}

TEST(WindowsAgree, WithinTheTolerance) {
  WindowRule rule;
  const std::vector<LoadFigures> windows{window(90, 1), window(100, 1), window(110, 1)};
  EXPECT_TRUE(windows_agree(windows, rule)) << "10 % are within 10 %";
  rule.tolerance = 0.09;
  EXPECT_FALSE(windows_agree(windows, rule));
  rule.steady = 1;
  EXPECT_TRUE(windows_agree(windows, rule));
}

TEST(WindowsAgree, NotOnNothing) {
  const std::vector<LoadFigures> windows{window(0, 0), window(0, 0), window(0, 0)};
  EXPECT_FALSE(windows_agree(windows, {}));
}

TEST(WindowsAgree, OnTheChosenPercentile) {
  WindowRule rule;
  rule.latency_percent = 50;
  std::vector<LoadFigures> windows{window(100, 10), window(100, 20), window(100, 30)};
  for (LoadFigures& each : windows) {
    each.latency.p50_ms = 5;
  }
  EXPECT_TRUE(windows_agree(windows, rule));
}

TEST(LoadReport, IsOfTheLastWindows) {
  std::vector<LoadWindow> windows;
  for (const double latency : {50, 11, 10, 10}) {
    windows.push_back({1, {{latency, 0, 200}, {latency, 0, 200}}});
  }
  const LoadReport report = report_of(windows, {});
  EXPECT_TRUE(report.steady);
  EXPECT_EQ(report.windows.size(), 4U);
  EXPECT_EQ(report.figures.answered, 6);
  EXPECT_EQ(report.figures.latency.max_ms, 11);
  const LoadReport shorter = report_of(std::span(windows).first(2), {});
  EXPECT_FALSE(shorter.steady);
  EXPECT_EQ(shorter.figures.answered, 4);
  EXPECT_EQ(report_of({}, {}).figures.answered, 0);
}

TEST(WindowRule, OddOnesAreErrors) {
  EXPECT_NO_THROW(check_window_rule({}));
  EXPECT_NO_THROW(check_window_rule({.seconds = 0, .requests = 5}));
  EXPECT_THROW(check_window_rule({.seconds = 0}), Error);
  EXPECT_THROW(check_window_rule({.requests = -1}), Error);
  EXPECT_THROW(check_window_rule({.steady = 0}), Error);
  EXPECT_THROW(check_window_rule({.most = 0}), Error);
  EXPECT_THROW(check_window_rule({.tolerance = 0}), Error);
  EXPECT_THROW(check_window_rule({.latency_percent = 42}), Error);
}

}  // namespace
}  // namespace onnxop
