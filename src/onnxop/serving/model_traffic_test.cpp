// A model's traffic as it goes on, without models.

#include "onnxop/serving/model_traffic.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/log.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr TargetSet kBoth = 0b11;

class ModelTrafficTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { init_logging({.level = LogLevel::kError}); }

  std::unique_ptr<ModelTraffic> traffic(const TrafficPlan& plan) {
    return std::make_unique<ModelTraffic>("mnist", plan, [this](const std::string& target) {
      auto& counters = counters_[target];
      counters = counters ? counters : std::make_shared<TargetCounters>();
      return counters;
    });
  }
  static TrafficPlan canary(const RollbackLimits& rollback = {}) {
    return {.split = {{"champion", 90}, {"challenger", 10}}, .rollback = rollback};
  }
  static std::vector<int> shares(ModelTraffic& traffic, int requests, TargetSet loaded = kBoth) {
    std::vector<int> counts(2);
    for (int i = 0; i < requests; ++i) {
      ++counts[traffic.choose_next(loaded, "").value()];
    }
    return counts;
  }

  std::map<std::string, std::shared_ptr<TargetCounters>> counters_;
};

TEST_F(ModelTrafficTest, SharesRequestsExactlyWhoeverAsks) {
  const auto split = traffic(canary());
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] { shares(*split, 250); });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  EXPECT_EQ(counters_["champion"]->requests, 900U);
  EXPECT_EQ(counters_["challenger"]->requests, 100U);
}

TEST_F(ModelTrafficTest, CallersStay) {
  const auto split = traffic({.split = {{"a", 50}, {"b", 50}}});
  const auto alice = split->choose_next(kBoth, "alice");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(split->choose_next(kBoth, "alice"), alice);
  }
  EXPECT_THAT(shares(*split, 100), ElementsAre(50, 50)) << "those who say nothing take turns";
}

TEST_F(ModelTrafficTest, ATargetThatIsNotLoadedGetsNothing) {
  const auto split = traffic(canary());
  EXPECT_THAT(shares(*split, 50, 0b01), ElementsAre(50, 0));
  EXPECT_THAT(shares(*split, 50, 0b10), ElementsAre(0, 50));
  EXPECT_EQ(split->choose_next(0, "alice"), std::nullopt);
}

TEST_F(ModelTrafficTest, ACanaryThatFailsLosesItsTraffic) {
  const auto split = traffic(canary({.max_error_rate = 0.2, .min_requests = 10}));
  for (int i = 0; i < 9; ++i) {
    split->count_answer(1, true);
    split->count_answer(0, true);  // the primary is not judged
  }
  EXPECT_EQ(split->out(), 0U) << "too few to judge";
  EXPECT_FALSE(split->rollback());
  split->count_answer(1, false);
  EXPECT_EQ(split->out(), 0b10U);
  ASSERT_TRUE(split->rollback());
  EXPECT_EQ(split->rollback()->target, "challenger");
  EXPECT_THAT(split->rollback()->reason, HasSubstr("error rate 0.9 over 10 requests, limit 0.2"));
  EXPECT_EQ(split->rollback()->figures.faults, 9);
  EXPECT_THAT(shares(*split, 100), ElementsAre(100, 0));
  EXPECT_EQ(split->choose_next(kBoth, "alice"), 0U);
  for (int i = 0; i < 100; ++i) {
    split->count_answer(1, false);
  }
  EXPECT_EQ(split->out(), 0b10U) << "it stays out";
  EXPECT_EQ(counters_["challenger"]->rollbacks, 1U);
  EXPECT_EQ(counters_["champion"]->rollbacks, 0U);

  const auto again = traffic(canary({.max_error_rate = 0.2, .min_requests = 10}));
  EXPECT_EQ(again->out(), 0U);
  EXPECT_EQ(again->counters(1).rollbacks, 1U) << "counters go on";
}

TEST_F(ModelTrafficTest, OldFailuresAreForgotten) {
  const auto split = traffic(canary({.max_error_rate = 0.5, .min_requests = 10}));
  for (int i = 0; i < 100; ++i) {
    split->count_answer(1, i % 2 == 0);  // never more than half of any ten
  }
  EXPECT_EQ(split->out(), 0U);
  EXPECT_EQ(split->figures(1).requests, 10);
  EXPECT_EQ(split->figures(1).faults, 5);
  split->count_answer(1, true);
  split->count_answer(1, true);
  EXPECT_EQ(split->out(), 0b10U);
}

TEST_F(ModelTrafficTest, ACanaryThatDisagreesLosesItsTraffic) {
  const auto split = traffic(canary({.max_disagreement = 0.1, .min_requests = 10}));
  for (int i = 0; i < 10; ++i) {
    split->count_answer(1, true);
    split->count_agreement(1, i > 0);
  }
  EXPECT_EQ(split->out(), 0U) << "at the limit, and errors have none";
  split->count_agreement(1, false);  // the oldest was one too
  EXPECT_EQ(split->out(), 0U);
  split->count_agreement(1, false);
  ASSERT_EQ(split->out(), 0b10U);
  EXPECT_THAT(split->rollback()->reason, HasSubstr("disagreement 0.2 over 10 comparisons"));
}

TEST_F(ModelTrafficTest, SamplesWhatIsCompared) {
  const auto count = [](const auto& next) {
    int sampled = 0;
    for (int i = 0; i < 100; ++i) {
      sampled += next() ? 1 : 0;
    }
    return sampled;
  };
  auto plan = canary({.max_disagreement = 0.1, .compare_percent = 20});
  plan.shadow = ShadowRule{"next", 5};
  const auto both = traffic(plan);
  EXPECT_EQ(count([&] { return both->compares_next(1); }), 20);
  EXPECT_EQ(count([&] { return both->compares_next(0); }), 0);
  EXPECT_EQ(count([&] { return both->shadows_next(); }), 5);
  const auto neither = traffic(canary({.max_error_rate = 0.1}));
  EXPECT_EQ(count([&] { return neither->compares_next(1); }), 0);
  EXPECT_EQ(count([&] { return neither->shadows_next(); }), 0);
}

TEST(ComparisonCounters, KeepTheLargestDifference) {
  ComparisonCounters counters;
  counters.count({true, {{"p", 0.25}, {"q", 0.5}}});
  counters.count({false, {{"p", 0.125}}});
  const auto values = counters.values();
  EXPECT_EQ(values.agreed, 1U);
  EXPECT_EQ(values.disagreed, 1U);
  EXPECT_THAT(values.largest, ElementsAre(Pair("p", 0.25), Pair("q", 0.5)));
}

}  // namespace
}  // namespace onnxop
