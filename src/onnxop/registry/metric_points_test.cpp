// Points that gather before they go to their places: found all the same, once, in order.

#include "onnxop/registry/metric_points.h"

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

class MetricPointsTest : public EachRegistryTest {
 protected:
  /// One point of each metric, "m0" to "m99".
  static std::vector<Metric> batch(std::int64_t step) {
    std::vector<Metric> metrics;
    for (int key = 0; key < kKeys; ++key) {
      metrics.push_back({format("m{}", key), static_cast<double>(step), step, step});
    }
    return metrics;
  }
  std::vector<std::int64_t> steps(const std::string& key) {
    std::vector<std::int64_t> found;
    for (const Metric& metric : runs_.metric_history(id_, key)) {
      found.push_back(metric.step);
    }
    return found;
  }
  std::vector<std::int64_t> paged_steps(const std::string& key, std::int64_t size) {
    std::vector<std::int64_t> found;
    MetricHistoryOptions options{.max_results = size, .page_token = {}};
    do {
      const auto page = runs_.metric_history_page(id_, key, options);
      EXPECT_LE(std::ssize(page.items), size);
      for (const Metric& metric : page.items) {
        found.push_back(metric.step);
      }
      options.page_token = page.next_page_token;
    } while (!options.page_token.empty());
    return found;
  }
  int recent() { return scalar("SELECT COUNT(*) FROM run_recent_metrics"); }
  int settled() { return scalar("SELECT COUNT(*) FROM run_metrics"); }
  int in_segments() { return scalar("SELECT COUNT(*) FROM run_metric_segments"); }
  int segments() {
    return scalar("SELECT COUNT(*) FROM (SELECT DISTINCT run, segment FROM run_metric_segments) s");
  }

  static constexpr int kKeys = 100;
  static constexpr int kBatches = kMostRecentPoints / kKeys;
  const std::string id_ = runs_.create({});
};
ONNXOP_ON_EACH_STORE(MetricPointsTest);

TEST_P(MetricPointsTest, GatherAndBecomeSegments) {
  std::vector<std::int64_t> expected;
  for (int step = 0; step < 2 * kBatches + 3; ++step) {
    runs_.log_metrics(id_, batch(step));
    expected.push_back(step);
    EXPECT_LE(recent(), kMostRecentPoints);
    ASSERT_EQ(recent() + in_segments(), (step + 1) * kKeys);
  }
  EXPECT_EQ(recent(), 3 * kKeys);
  EXPECT_EQ(in_segments(), 2 * kMostRecentPoints);
  EXPECT_EQ(segments(), 2);
  EXPECT_EQ(settled(), 0);
  EXPECT_EQ(steps("m0"), expected);
  EXPECT_EQ(steps("m99"), expected);
  EXPECT_EQ(runs_.get(id_).metrics.at("m7").step, expected.back());
}

TEST_P(MetricPointsTest, AHistoryIsMergedFromAllPlacesInItsOrder) {
  std::vector<Metric> even;
  for (std::int64_t step = 0; step < 40; step += 2) {
    even.push_back({"loss", 0.5, step, step});
  }
  runs_.log_metrics(id_, even);
  EXPECT_EQ(settled(), 20);
  std::vector<std::int64_t> expected;
  for (std::int64_t step = 0; step < 40; ++step) {
    expected.push_back(step);
    if (step % 2 == 1) {
      runs_.log_metrics(id_, {{"loss", 0.5, step, step}, {"other", 1, step, step}});
    }
  }
  EXPECT_EQ(recent(), 40);
  EXPECT_EQ(steps("loss"), expected);
  EXPECT_EQ(paged_steps("loss", 7), expected);

  // Segments with later points, earlier ones, and some of those that are elsewhere.
  for (const std::int64_t first : {40, -10, 30}) {
    std::vector<Metric> many;
    for (std::int64_t step = first; step < first + 15; ++step) {
      many.push_back({"loss", 0.5, 100 + step, step});
    }
    for (std::int64_t key = 0; key < kMostRecentPoints; ++key) {
      many.push_back({format("m{}", key), 1, 1, 1});
    }
    runs_.log_metrics(id_, many);
  }
  EXPECT_EQ(segments(), 3);
  std::vector<std::int64_t> all = expected;
  for (const std::int64_t first : {90, 130, 140}) {
    for (std::int64_t time = first; time < first + 15; ++time) {
      all.push_back(time - 100);
    }
  }
  all.erase(all.begin() + 40 + 25, all.begin() + 40 + 30);  // 40 to 44 are in two segments
  EXPECT_EQ(steps("loss"), all);
  EXPECT_EQ(paged_steps("loss", 7), all);
  EXPECT_EQ(steps("m3"), std::vector<std::int64_t>{1});
}

TEST_P(MetricPointsTest, WhatIsSentAgainIsThereOnceWhereverItLies) {
  for (int times = 0; times < kBatches + 2; ++times) {
    runs_.log_metrics(id_, batch(5));
    EXPECT_THAT(steps("m3"), testing::ElementsAre(5));
  }
  EXPECT_EQ(in_segments(), kKeys);
  EXPECT_EQ(recent(), 2 * kKeys);
  runs_.log_metrics(id_, batch(6));
  EXPECT_THAT(steps("m3"), testing::ElementsAre(5, 6));
}

TEST_P(MetricPointsTest, PagesLeaveNothingOutWherePointsWereSentAgain) {
  std::vector<Metric> settled;
  for (std::int64_t step = 10; step < 30; ++step) {
    settled.push_back({"m3", 1, step, step});
  }
  runs_.log_metrics(id_, settled);
  std::vector<std::int64_t> expected;
  for (std::int64_t step = 5; step < 30; ++step) {
    expected.push_back(step);
    for (int times = 0; step < 15 && times < 4; ++times) {
      runs_.log_metrics(id_, {{"m3", 1, step, step}});
    }
  }
  for (const std::int64_t size : {1, 2, 3, 7, 100}) {
    EXPECT_EQ(paged_steps("m3", size), expected) << size;
  }
}

TEST_P(MetricPointsTest, ManyAtOnceAndThoseOfARunThatEndsGoToTheirPlaces) {
  std::vector<Metric> many;
  for (int key = 0; key < 2 * kMostRecentPoints; ++key) {
    many.push_back({format("m{}", key), 1, 1, 1});
  }
  runs_.log_metrics(id_, many);
  EXPECT_EQ(recent(), 0);
  EXPECT_EQ(in_segments(), 2 * kMostRecentPoints);
  EXPECT_EQ(segments(), 1);

  runs_.log_metrics(id_, batch(2));
  EXPECT_EQ(recent(), kKeys);
  runs_.end(id_, RunStatus::kFinished);
  EXPECT_EQ(recent(), 0);
  runs_.log_metrics(id_, batch(3));
  runs_.update(id_, {.status = RunStatus::kRunning});
  EXPECT_EQ(recent(), kKeys);
  runs_.update(id_, {.status = RunStatus::kFailed});
  EXPECT_EQ(recent(), 0);
  EXPECT_THAT(steps("m3"), testing::ElementsAre(1, 2, 3));
}

TEST_P(MetricPointsTest, OfFewMetricsTheyGoToTheirPlaces) {
  std::vector<std::int64_t> expected;
  for (std::int64_t step = 0; step < kMostRecentPoints; ++step) {
    runs_.log_metrics(id_, {{"loss", 0.5, step, step}});
    expected.push_back(step);
  }
  EXPECT_EQ(recent(), 0);
  EXPECT_EQ(in_segments(), 0);
  EXPECT_EQ(settled(), kMostRecentPoints);
  EXPECT_EQ(steps("loss"), expected);
}

TEST_P(MetricPointsTest, ANewRunHasNoneOfOneThatAnOlderProgramRemoved) {
  const int next = scalar("SELECT MAX(number) FROM runs") + 1;
  execute(
      format("INSERT INTO run_metric_segments (run, segment, key, timestamp_ms, step, value, "
             "is_nan) VALUES ({}, 1, 'loss', 1, 1, 0.5, 0)",
             next));
  execute(
      format("INSERT INTO run_recent_metrics (run, number, key, timestamp_ms, step, value, "
             "is_nan) VALUES ({}, 1, 'loss', 2, 2, 0.5, 0)",
             next));
  const auto made = runs_.create({});
  EXPECT_EQ(scalar("SELECT MAX(number) FROM runs"), next);
  EXPECT_TRUE(runs_.metric_history(made, "loss").empty());
}

TEST_P(MetricPointsTest, OfOneRunTheyAreNotAnothers) {
  const auto other = runs_.create({});
  for (int step = 0; step < kBatches; ++step) {
    runs_.log_metrics(id_, batch(step));
    runs_.log_metrics(other, {{"m0", 1, 1000 + step, step}});
  }
  runs_.log_metrics(id_, batch(kBatches));
  EXPECT_EQ(recent(), kKeys + kBatches);
  EXPECT_EQ(steps("m0").size(), kBatches + 1u);
  EXPECT_EQ(runs_.metric_history(other, "m0").size(), static_cast<std::size_t>(kBatches));
}

}  // namespace
}  // namespace onnxop
