#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class MetricsTest : public EachStoreTest {
 protected:
  double latest(const std::string& key) const { return runs_.get(id_).metrics.at(key).value; }

  Registry registry_{location(), clock_};
  Runs& runs_ = registry_.runs();
  std::string id_ = runs_.create({.name = "a"});
};
ONNXOP_ON_EACH_STORE(MetricsTest);

TEST_P(MetricsTest, HistoryKeepsEveryPointInTheOrderLogged) {
  runs_.log_metrics(id_, {{"loss", 0.5, 1000, 1}, {"accuracy", 0.9, 1000, 1}});
  runs_.log_metrics(id_, {{"loss", 0.25, 2000, 2}, {"loss", 0.125, 500, 3}});
  const auto history = runs_.metric_history(id_, "loss");
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0].value, 0.5);
  EXPECT_EQ(history[1].step, 2);
  EXPECT_EQ(history[1].timestamp_ms, 2000);
  EXPECT_EQ(history[2].value, 0.125);
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
  EXPECT_EQ(history[0].timestamp_ms, kMax);
  EXPECT_EQ(history[0].step, kMin);
  EXPECT_EQ(history[1].step, kMax);
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
  for (const char* token : {"x", "-1", "1 ", "99999999999999999999"}) {
    EXPECT_EQ(catch_error([&] {
                runs_.metric_history_page(id_, "m", {1, token});
              }).code,
              ErrorCode::kInvalidArgument)
        << token;
  }
  EXPECT_THAT(runs_.metric_history_page(id_, "m", {1, "2500"}).items, IsEmpty());
  EXPECT_EQ(catch_error([&] {
              runs_.metric_history_page(id_, "m", {-1, ""});
            }).code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace onnxop
