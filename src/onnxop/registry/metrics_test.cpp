#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class MetricsTest : public EachRegistryTest {
 protected:
  double latest(const std::string& key) const { return runs_.get(id_).metrics.at(key).value; }

  std::string id_ = runs_.create({.name = "a"});
};
ONNXOP_ON_EACH_STORE(MetricsTest);

TEST_P(MetricsTest, HistoryKeepsEveryPointInTheOrderOfTime) {
  runs_.log_metrics(id_, {{"loss", 0.5, 1000, 1}, {"accuracy", 0.9, 1000, 1}});
  runs_.log_metrics(id_, {{"loss", 0.25, 2000, 2}, {"loss", 0.125, 500, 3}});
  const auto history = runs_.metric_history(id_, "loss");
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0].value, 0.125);
  EXPECT_EQ(history[1].value, 0.5);
  EXPECT_EQ(history[2].step, 2);
  EXPECT_EQ(history[2].timestamp_ms, 2000);
  EXPECT_EQ(history[2].key, "loss");
  EXPECT_THAT(runs_.metric_history(id_, "val_loss"), IsEmpty());
  EXPECT_EQ(latest("accuracy"), 0.9);
  EXPECT_EQ(latest("loss"), 0.25);
}

TEST_P(MetricsTest, TheLatestIsThatOfTheLatestTimeThenStepThenValue) {
  runs_.log_metrics(id_, {{"m", 1, 2000, 5}});
  runs_.log_metrics(id_, {{"m", 9, 1000, 9}});  // older
  EXPECT_EQ(latest("m"), 1);
  runs_.log_metrics(id_, {{"m", 2, 2000, 6}, {"m", 8, 2000, 4}});
  EXPECT_EQ(latest("m"), 2);
  runs_.log_metrics(id_, {{"m", 3, 2000, 6}, {"m", -1, 2000, 6}});
  EXPECT_EQ(latest("m"), 3);
  runs_.log_metrics(id_, {{"m", std::nan(""), 2000, 6}});
  EXPECT_EQ(latest("m"), 3);
  EXPECT_EQ(runs_.metric_history(id_, "m").size(), 7u);

  runs_.log_metrics(id_, {{"n", std::nan(""), 1, 1}});
  EXPECT_TRUE(std::isnan(latest("n")));
  runs_.log_metrics(id_, {{"n", -std::numeric_limits<double>::infinity(), 1, 1}});
  EXPECT_EQ(latest("n"), -std::numeric_limits<double>::infinity());
}

TEST_P(MetricsTest, APointThatIsSentAgainIsKeptOnce) {
  const auto inf = std::numeric_limits<double>::infinity();
  std::vector<Metric> points;
  for (std::int64_t i = 0; i < 40; ++i) {  // more than one statement takes
    points.push_back({i % 2 == 0 ? "a" : "b", static_cast<double>(i / 4), i / 4, 7});
  }
  for (const double value : {std::nan(""), 0.0, -0.0, inf, -inf}) {
    points.push_back({"odd", value, 1, 1});
  }
  runs_.log_batch(id_, {.metrics = points});
  EXPECT_EQ(runs_.metric_history(id_, "a").size(), 10u);
  const auto odd = runs_.metric_history(id_, "odd");
  ASSERT_EQ(odd.size(), 4u);  // 0 is -0
  EXPECT_EQ(odd[0].value, -inf);
  EXPECT_EQ(odd[1].value, 0);
  EXPECT_TRUE(std::isnan(odd[2].value));
  EXPECT_EQ(odd[3].value, inf);

  const auto before = runs_.get(id_).metrics;
  points.push_back({"a", 3.5, 3, 7});  // between others
  runs_.log_batch(id_, {.metrics = points});
  runs_.log_metrics(id_, {points.front()});
  EXPECT_EQ(runs_.metric_history(id_, "a").size(), 11u);
  EXPECT_EQ(runs_.metric_history(id_, "b").size(), 10u);
  EXPECT_EQ(runs_.metric_history(id_, "odd").size(), 4u);
  EXPECT_EQ(latest("a"), before.at("a").value);
  // Another step, time or value is another point.
  runs_.log_metrics(id_, {{"a", 3.5, 3, 8}, {"a", 3.5, 4, 7}, {"a", 3.25, 3, 7}});
  EXPECT_EQ(runs_.metric_history(id_, "a").size(), 14u);
}

TEST_P(MetricsTest, EveryDoubleComesBackBitForBit) {
  using Limits = std::numeric_limits<double>;
  const std::vector<double> values{0.1,
                                   -1.5,
                                   0.0,
                                   1.0 / 3,
                                   Limits::denorm_min(),
                                   Limits::max(),
                                   Limits::min(),
                                   1e-7,
                                   0.1 + 0.2,
                                   Limits::infinity(),
                                   -Limits::infinity()};
  std::vector<Metric> points;
  for (const double value : values) {
    points.push_back({"m", value, static_cast<std::int64_t>(points.size()), 0});
  }
  runs_.log_metrics(id_, points);
  const auto history = runs_.metric_history(id_, "m");
  ASSERT_EQ(history.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(history[i].value, values[i]);
  }
  runs_.log_metrics(id_, {{"nan", std::nan(""), 1, 1}});
  EXPECT_TRUE(std::isnan(runs_.metric_history(id_, "nan").at(0).value));
  EXPECT_TRUE(std::isnan(latest("nan")));
}

TEST_P(MetricsTest, StepsAndTimesUseAllTheirBits) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  runs_.log_metrics(id_, {{"m", 1, kMax, kMin}, {"m", 2, 0, kMax}});
  const auto history = runs_.metric_history(id_, "m");
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].step, kMax);
  EXPECT_EQ(history[1].timestamp_ms, kMax);
  EXPECT_EQ(history[1].step, kMin);
  EXPECT_EQ(runs_.metric_history_page(id_, "m", {.max_results = 1}).items[0].step, kMax);
}

TEST_P(MetricsTest, ABatchIsKeptWholeOrNotAtAll) {
  for (const Metric& bad : {Metric{"", 1, 1, 1}, Metric{"m", 1, -1, 1}}) {
    EXPECT_EQ(catch_error([&] {
                runs_.log_metrics(id_, {{"loss", 1, 1, 1}, bad});
              }).code,
              ErrorCode::kInvalidArgument);
  }
  EXPECT_THAT(runs_.metric_history(id_, "loss"), IsEmpty());
}

// More rows than one statement takes, by keys that come mixed, over several batches.
TEST_P(MetricsTest, LargeBatchesOfManyKeys) {
  constexpr std::int64_t kBatches = 3;
  constexpr std::int64_t kPoints = 997;
  constexpr std::int64_t kKeys = 121;
  std::map<std::string, std::vector<double>> expected;
  std::int64_t step = 0;
  for (std::int64_t batch = 0; batch < kBatches; ++batch) {
    std::vector<Metric> metrics;
    for (std::int64_t i = 0; i < kPoints; ++i, ++step) {
      const std::string key = "key" + std::to_string(step * 7919 % kKeys);
      const double value = 0.1 * static_cast<double>(step);
      metrics.push_back({key, value, step, step});
      expected[key].push_back(value);
    }
    runs_.log_batch(id_, {.metrics = metrics});
  }
  const auto run = runs_.get(id_);
  ASSERT_EQ(run.metrics.size(), expected.size());
  for (const auto& [key, values] : expected) {
    EXPECT_EQ(run.metrics.at(key).value, values.back());
    const auto history = runs_.metric_history(id_, key);
    ASSERT_EQ(history.size(), values.size()) << key;
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(history[i].value, values[i]);
    }
  }
}

TEST_P(MetricsTest, HistoryComesInPages) {
  std::vector<Metric> points;
  for (std::int64_t i = 0; i < 2500; ++i) {
    points.push_back({"m", static_cast<double>(i), i, i});
  }
  runs_.log_metrics(id_, points);
  runs_.log_metrics(id_, {{"n", 1, 1, 1}});
  for (const std::int64_t size : {1000, 1250, 2499, 2500, 4000}) {
    std::vector<double> values;
    std::string token;
    do {
      const auto page =
          runs_.metric_history_page(id_, "m", {.max_results = size, .page_token = token});
      EXPECT_LE(std::ssize(page.items), size);
      for (const Metric& metric : page.items) {
        values.push_back(metric.value);
      }
      token = page.next_page_token;
    } while (!token.empty());
    ASSERT_EQ(values.size(), 2500u) << size;
    EXPECT_EQ(values.back(), 2499);
  }
  EXPECT_EQ(runs_.metric_history(id_, "m").size(), 2500u);
  const auto inf = std::numeric_limits<double>::infinity();
  runs_.log_metrics(
      id_,
      {{"odd", inf, 0, 0}, {"odd", -inf, 0, 0}, {"odd", std::nan(""), 0, 0}, {"odd", 0.1, 0, 0}});
  std::string place;
  for (const double value : {-inf, std::nan(""), 0.1, inf}) {
    const auto page = runs_.metric_history_page(id_, "odd", {1, place});
    EXPECT_THAT(page.items.at(0).value, testing::NanSensitiveDoubleEq(value));
    place = page.next_page_token;
  }
  EXPECT_EQ(place, "");
  for (const char* token : {"x", "-1", "1 ", "99999999999999999999", "1_1_1", "1_1_nan_1",
                            "1_1_x_0", "1_1_1_0_", "1_1_1_0 "}) {
    EXPECT_EQ(catch_error([&] {
                runs_.metric_history_page(id_, "m", {1, token});
              }).code,
              ErrorCode::kInvalidArgument)
        << token;
  }
  EXPECT_THAT(runs_.metric_history_page(id_, "m", {1, "2499_2499_2499_0"}).items, IsEmpty());
  EXPECT_EQ(catch_error([&] {
              runs_.metric_history_page(id_, "m", {-1, ""});
            }).code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace onnxop
