#include "onnxop/wire/mlflow_metrics.h"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/wire/mlflow_keys.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "no error";
}

/// A batch with that many elements in a list.
std::string batch_of(std::string_view list, int count) {
  std::string elements;
  for (int i = 0; i < count; ++i) {
    elements += format(R"({}{{"key": "k{}", "value": {}, "timestamp": 1}})", i == 0 ? "" : ",", i,
                       list == "metrics" ? "1" : "\"1\"");
  }
  return format(R"({{"run_id": "r", "{}": [{}]}})", list, elements);
}

TEST(LogBatch, HasMetricsParametersAndTags) {
  const LogBatch log = parse_log_batch(
      R"({"run_id": "r", "metrics": [{"key": "loss", "value": 0.5, "timestamp": "17", "step": 3},
          {"key": "loss", "value": "NaN", "timestamp": 18},
          {"key": "acc", "value": "Infinity", "timestamp": 18, "step": "4", "model_id": "m-1",
           "dataset_name": "d", "dataset_digest": "x"}],
          "params": [{"key": "lr", "value": "0.1"}, {"key": "none"}, {"key": "lr", "value": "0.1"}],
          "tags": [{"key": "t", "value": "ü"}], "later": 1})");
  EXPECT_EQ(log.run_id, "r");
  ASSERT_EQ(log.batch.metrics.size(), 3U);
  EXPECT_EQ(log.batch.metrics[0].key, "loss");
  EXPECT_EQ(log.batch.metrics[0].value, 0.5);
  EXPECT_EQ(log.batch.metrics[0].timestamp_ms, 17);
  EXPECT_EQ(log.batch.metrics[0].step, 3);
  EXPECT_TRUE(std::isnan(log.batch.metrics[1].value));
  EXPECT_EQ(log.batch.metrics[1].step, 0);
  EXPECT_EQ(log.batch.metrics[2].value, HUGE_VAL);
  EXPECT_THAT(log.batch.params, ElementsAre(Pair("lr", "0.1"), Pair("none", "")));
  EXPECT_THAT(log.batch.tags, ElementsAre(Pair("t", "ü")));
  ASSERT_EQ(log.of_models.size(), 1U);
  const LoggedModelMetric& metric = log.of_models.at("m-1").at(0);
  EXPECT_EQ(metric.metric.key, "acc");
  EXPECT_EQ(metric.run_id, "r");
  EXPECT_EQ(metric.dataset_digest, "x");
}

TEST(LogBatch, MayNameTheRunAsOlderClientsDo) {
  EXPECT_EQ(parse_log_batch(R"({"run_uuid": "r"})").run_id, "r");
}

TEST(LogBatch, WhatIsMissingIsNamedWithItsPlace) {
  const auto with = [](std::string_view rest) {
    return message_of([&] { parse_log_batch(format(R"({{"run_id": "r", {}}})", rest)); });
  };
  EXPECT_THAT(message_of([] { parse_log_batch("{}"); }), HasSubstr("'run_id'"));
  EXPECT_THAT(with(R"("metrics": [{"key": "a", "value": 1, "timestamp": 1}, {"key": "a"}])"),
              HasSubstr("'metrics[1].value'"));
  EXPECT_THAT(with(R"("metrics": [{"value": 1, "timestamp": 1}])"), HasSubstr("'metrics[0].key'"));
  EXPECT_THAT(with(R"("metrics": [{"key": "a", "value": 1}])"),
              HasSubstr("'metrics[0].timestamp'"));
  EXPECT_THAT(with(R"("metrics": [{"key": "a", "value": "x", "timestamp": 1}])"),
              HasSubstr("'metrics[0].value'"));
  EXPECT_THAT(with(R"("metrics": [5])"), HasSubstr("metrics"));
  EXPECT_THAT(with(R"("metrics": {})"), HasSubstr("metrics"));
  EXPECT_THAT(with(R"("params": [{"value": "1"}])"), HasSubstr("'params[0].key'"));
  EXPECT_THAT(with(R"("tags": [{"key": ""}])"), HasSubstr("'tags[0].key'"));
  EXPECT_THAT(with(R"("params": [{"key": "a", "value": 1}])"), HasSubstr("'params[0].value'"));
}

TEST(LogBatch, AParameterHasOneValue) {
  EXPECT_THAT(
      message_of([] {
        parse_log_batch(
            R"({"run_id": "r", "params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]})");
      }),
      HasSubstr("'a' twice"));
}

TEST(LogBatch, HasMlflowsLimits) {
  EXPECT_EQ(parse_log_batch(batch_of("metrics", 1000)).batch.metrics.size(), 1000U);
  EXPECT_THAT(message_of([] { parse_log_batch(batch_of("metrics", 1001)); }),
              HasSubstr("1001 metrics, expected at most 1000"));
  EXPECT_EQ(parse_log_batch(batch_of("params", 100)).batch.params.size(), 100U);
  EXPECT_NE(message_of([] { parse_log_batch(batch_of("params", 101)); }), "no error");
  EXPECT_NE(message_of([] { parse_log_batch(batch_of("tags", 101)); }), "no error");
  std::string both = batch_of("metrics", 1000);
  both.pop_back();
  EXPECT_THAT(
      message_of([&] { parse_log_batch(both + R"(, "params": [{"key": "a", "value": "1"}]})"); }),
      HasSubstr("1001 metrics, params and tags"));
  EXPECT_THAT(
      message_of([] { parse_log_batch(R"({"run_id": ")" + std::string(1'000'000, 'a') + "\"}"); }),
      HasSubstr("1000000 bytes"));
}

TEST(MetricHistory, IsWrittenAsMlflowReadsIt) {
  Page<Metric> page{{{"loss", 0.25, 17, 1}, {"loss", NAN, 18, 2}}, "next"};
  EXPECT_EQ(metric_history_json(page),
            R"({"metrics":[{"key":"loss","value":0.25,"timestamp":17,"step":1},)"
            R"({"key":"loss","value":"NaN","timestamp":18,"step":2}],"next_page_token":"next"})");
  EXPECT_EQ(metric_history_json({}), R"({"metrics":[]})");
}

class ThinOut : public testing::Test {
 protected:
  static RunHistory history(const std::string& run, std::int64_t from, std::int64_t to) {
    RunHistory made{run, {}};
    for (std::int64_t step = from; step <= to; ++step) {
      made.metrics.push_back({"loss", 1.0, step, step});
    }
    return made;
  }
  static std::vector<std::int64_t> steps(const RunHistory& history) {
    std::vector<std::int64_t> all;
    for (const Metric& metric : history.metrics) {
      all.push_back(metric.step);
    }
    return all;
  }
};

TEST_F(ThinOut, AShortHistoryStaysWhole) {
  RunHistory short_one = history("a", 1, 4);
  thin_out(short_one, {{}, {}, 4});
  EXPECT_THAT(steps(short_one), ElementsAre(1, 2, 3, 4));
}

// NTILE of SQL, as MLflow 3 asks its database: its answers to the same histories.
TEST_F(ThinOut, ALongOneKeepsItsEnds) {
  RunHistory long_one = history("a", 0, 999);
  thin_out(long_one, {{}, {}, 10});
  EXPECT_THAT(steps(long_one), ElementsAre(0, 100, 200, 300, 400, 500, 600, 700, 800, 999));
  RunHistory uneven = history("a", 0, 12);
  thin_out(uneven, {{}, {}, 5});
  EXPECT_THAT(steps(uneven), ElementsAre(0, 3, 6, 9, 12));
  RunHistory one_more = history("a", 0, 4);
  thin_out(one_more, {{}, {}, 4});
  EXPECT_THAT(steps(one_more), ElementsAre(0, 2, 3, 4));
  RunHistory last_one = history("a", 0, 9);
  thin_out(last_one, {{}, {}, 1});
  EXPECT_THAT(steps(last_one), ElementsAre(9));
}

TEST_F(ThinOut, PointsOfOneStepAreThinnedOutToo) {
  RunHistory one_step{"a", {}};
  for (std::int64_t i = 0; i < 100; ++i) {
    one_step.metrics.push_back({"loss", static_cast<double>(i), 100 - i, 0});
  }
  thin_out(one_step, {{}, {}, 2});
  ASSERT_EQ(one_step.metrics.size(), 2u);
  EXPECT_EQ(one_step.metrics[0].value, 99);
  EXPECT_EQ(one_step.metrics[1].value, 0);
}

TEST_F(ThinOut, OnlyTheIntervalCounts) {
  RunHistory some = history("a", 0, 999);
  thin_out(some, {10, 13, 10});
  EXPECT_THAT(steps(some), ElementsAre(10, 11, 12, 13));
}

TEST_F(ThinOut, TheAnswerSaysWhichRun) {
  const Json json = parse_json(run_histories_json({history("a", 1, 1)}), "answer");
  EXPECT_EQ(json["metrics"][0]["run_id"], "a");
  EXPECT_EQ(json["metrics"][0]["step"], 1);
}

TEST(MlflowKeys, AreNamesThatMeanOneThing) {
  for (const char* good : {"a/b", "with space", "a.b-c_d", "colon:ed", "größe", "..a", "a..b"}) {
    EXPECT_NO_THROW(check_mlflow_key(good, "key")) << good;
  }
  for (const char* bad :
       {"../up", "/root", "a//b", "a/./b", "semi;colon", "quote'd", ".", "..", "", "a/", "a\nb"}) {
    EXPECT_THROW(check_mlflow_key(bad, "key"), Error) << bad;
  }
  EXPECT_NO_THROW(check_mlflow_alias("ok-1_x"));
  EXPECT_THROW(check_mlflow_alias("a.b"), Error);
}

}  // namespace
}  // namespace onnxop
