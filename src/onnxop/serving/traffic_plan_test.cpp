// Deciding who answers, with plain values.

#include "onnxop/serving/traffic_plan.h"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/serving/outcome_window.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr TargetSet kAll = ~TargetSet{0};

std::vector<int> counts_by_turn(const std::vector<SplitTarget>& split, TargetSet open,
                                std::uint64_t from, std::uint64_t requests) {
  std::vector<int> counts(split.size());
  for (std::uint64_t n = from; n < from + requests; ++n) {
    ++counts[choose(split, open, std::nullopt, n).value()];
  }
  return counts;
}

/// Whom each of 20,000 callers gets.
std::vector<std::size_t> callers_of(const std::vector<SplitTarget>& split, TargetSet open = kAll) {
  std::vector<std::size_t> targets;
  for (int i = 0; i < 20'000; ++i) {
    targets.push_back(choose(split, open, sticky_key("mnist", format("user-{}", i)), 0).value());
  }
  return targets;
}

std::string error_of(const TrafficPlan& plan) {
  try {
    check_traffic_plan(plan);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Choose, ByTurnEveryRunOfTheSumHasExactlyTheShares) {
  const std::vector<SplitTarget> split{{"champion", 90}, {"challenger", 10}};
  for (const std::uint64_t from : {0, 1, 37, 99, 123'456'789}) {
    EXPECT_THAT(counts_by_turn(split, kAll, from, 100), ElementsAre(90, 10)) << from;
  }
  EXPECT_EQ(choose(split, kAll, std::nullopt, 0), 0U) << "the primary begins";
  EXPECT_THAT(counts_by_turn({{"a", 5}, {"b", 0}, {"c", 3}, {"d", 7}}, kAll, 11, 15 * 1000),
              ElementsAre(5000, 0, 3000, 7000));
  EXPECT_THAT(counts_by_turn({{"a", kMostWeight}, {"b", 1}}, kAll, 0, kMostWeight + 1),
              ElementsAre(kMostWeight, 1));
}

TEST(Choose, ByTurnItIsEvenlySpread) {
  const std::vector<SplitTarget> split{{"a", 70}, {"b", 30}};
  for (std::uint64_t from = 0; from < 100; ++from) {
    const auto counts = counts_by_turn(split, kAll, from, 10);
    EXPECT_NEAR(counts[1], 3, 1) << from;
  }
}

TEST(Choose, WhoIsClosedLeavesHisShareToTheOthers) {
  const std::vector<SplitTarget> split{{"a", 50}, {"b", 30}, {"c", 20}};
  EXPECT_THAT(counts_by_turn(split, 0b101, 0, 70), ElementsAre(50, 0, 20));
  const std::vector<SplitTarget> none_for_primary{{"a", 0}, {"b", 100}};
  EXPECT_EQ(choose(none_for_primary, kAll, std::nullopt, 5), 1U);
  EXPECT_EQ(choose(none_for_primary, 0b01, std::nullopt, 5), 0U) << "somebody has to answer";
  EXPECT_EQ(choose(none_for_primary, 0b01, 77, 5), 0U);
  EXPECT_EQ(choose(split, 0, std::nullopt, 5), std::nullopt);
}

TEST(Choose, ACallerKeepsItsTarget) {
  const std::vector<SplitTarget> split{{"champion", 90}, {"challenger", 10}};
  const std::uint64_t key = sticky_key("mnist", "alice");
  const auto target = choose(split, kAll, key, 0);
  for (std::uint64_t n = 1; n < 200; ++n) {
    EXPECT_EQ(choose(split, kAll, key, n), target);
  }
  EXPECT_NE(sticky_key("mnist", "alice"), sticky_key("mnist", "bob"));
  EXPECT_NE(sticky_key("mnist", "alice"), sticky_key("mnista", "lice"));
  // Other machines and versions of the program must agree.
  EXPECT_EQ(sticky_key("mnist", "alice"), 12017537030135087537U);
}

TEST(Choose, CallersAreSharedAsTheWeightsSay) {
  std::vector<int> counts(3);
  for (const std::size_t target : callers_of({{"a", 50}, {"b", 30}, {"c", 20}})) {
    ++counts[target];
  }
  EXPECT_NEAR(counts[0], 10'000, 400);
  EXPECT_NEAR(counts[1], 6'000, 400);
  EXPECT_NEAR(counts[2], 4'000, 400);
}

TEST(Choose, AGrowingShareMovesOnlyThoseItMust) {
  const auto before = callers_of({{"a", 50}, {"b", 30}, {"c", 20}});
  const auto grown = callers_of({{"a", 50}, {"b", 60}, {"c", 20}});
  const auto closed = callers_of({{"a", 50}, {"b", 30}, {"c", 20}}, 0b101);
  const auto reordered = callers_of({{"c", 40}, {"a", 100}, {"b", 60}});
  constexpr std::array<std::size_t, 3> kReordered{1, 2, 0};
  int moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (grown[i] != before[i]) {
      ++moved;
      EXPECT_EQ(grown[i], 1U);
    }
    if (before[i] != 1) {
      EXPECT_EQ(closed[i], before[i]);
    }
    EXPECT_EQ(reordered[i], kReordered[before[i]]) << "the same shares in other words";
  }
  EXPECT_NEAR(moved, 20'000 * (60.0 / 130 - 0.3), 400);
}

TEST(IsSampled, IsExactAndSpread) {
  const auto count = [](double percent, std::uint64_t from, std::uint64_t requests) {
    int sampled = 0;
    for (std::uint64_t n = from; n < from + requests; ++n) {
      sampled += is_sampled(percent, n) ? 1 : 0;
    }
    return sampled;
  };
  EXPECT_EQ(count(0, 0, 1000), 0);
  EXPECT_EQ(count(100, 999'900, 1000), 1000);
  EXPECT_EQ(count(25, 3, 1000), 250);
  EXPECT_EQ(count(0.01, 0, 1'000'000), 100);
}

TEST(Judge, NeedsEnoughAndMoreThanTheLimit) {
  const RollbackLimits limits{.max_error_rate = 0.05, .max_disagreement = 0.1, .min_requests = 100};
  EXPECT_EQ(judge({99, 99, 0, 0}, limits), std::nullopt);
  EXPECT_EQ(judge({100, 5, 100, 10}, limits), std::nullopt) << "at the limit is not past it";
  EXPECT_THAT(judge({100, 6, 0, 0}, limits).value_or(""),
              HasSubstr("error rate 0.06 over 100 requests, limit 0.05"));
  EXPECT_THAT(judge({100, 0, 100, 11}, limits).value_or(""),
              HasSubstr("disagreement 0.11 over 100 comparisons, limit 0.1"));
  EXPECT_EQ(judge({100, 0, 99, 99}, limits), std::nullopt);
  EXPECT_EQ(judge({100, 100, 100, 100}, {}), std::nullopt) << "no limits";
}

TEST(Judge, OnlyTheModelsOwnFaultsCount) {
  EXPECT_TRUE(is_model_fault(ErrorCode::kInternal));
  for (const ErrorCode code :
       {ErrorCode::kInvalidArgument, ErrorCode::kResourceExhausted, ErrorCode::kDeadlineExceeded,
        ErrorCode::kUnavailable, ErrorCode::kTooLarge, ErrorCode::kUnsupported}) {
    EXPECT_FALSE(is_model_fault(code)) << error_code_name(code);
  }
}

TEST(OutcomeWindow, ForgetsWhatIsOlder) {
  OutcomeWindow window(4);
  EXPECT_EQ(window.size(), 0);
  for (const bool bad : {true, true, false}) {
    window.add(bad);
  }
  EXPECT_EQ(window.size(), 3);
  EXPECT_EQ(window.bad(), 2);
  for (const bool bad : {false, false, true}) {
    window.add(bad);
  }
  EXPECT_EQ(window.size(), 4);
  EXPECT_EQ(window.bad(), 1);
}

TEST(TrafficPlan, NamesWhatHasToBeLoaded) {
  TrafficPlan plan{.split = {{"champion", 1}, {"3", 1}}, .shadow = ShadowRule{"next", 5}};
  EXPECT_THAT(traffic_references("mnist", plan),
              ElementsAre("mnist@champion", "mnist:3", "mnist@next"));
  EXPECT_EQ(error_of(plan), "");
}

TEST(TrafficPlan, RefusesWhatMakesNoSense) {
  EXPECT_THAT(error_of({}), HasSubstr("neither split nor shadow"));
  EXPECT_THAT(error_of({.split = {{"a", 0}, {"b", 0}}}), HasSubstr("all weights are 0"));
  EXPECT_THAT(error_of({.split = {{"a", 1}, {"a", 2}}}), HasSubstr("'a' is given twice"));
  EXPECT_THAT(error_of({.split = {{"a", -1}}}), HasSubstr("weight of 'a' is -1"));
  EXPECT_THAT(error_of({.split = {{"a b", 1}}}), HasSubstr("got target 'a b'"));
  EXPECT_THAT(error_of({.split = std::vector<SplitTarget>(17, {"a", 1})}), HasSubstr("at most 16"));
  EXPECT_THAT(error_of({.shadow = ShadowRule{"a", 101}}), HasSubstr("percent is 101"));
  EXPECT_THAT(error_of({.shadow = ShadowRule{"", 1}}), HasSubstr("got target ''"));
  TrafficPlan plan{.split = {{"a", 1}}, .rollback = {.max_error_rate = 0.5}};
  EXPECT_THAT(error_of(plan), HasSubstr("without a canary"));
  plan.split.push_back({"b", 1});
  EXPECT_EQ(error_of(plan), "");
  plan.rollback.max_disagreement = 1.5;
  EXPECT_THAT(error_of(plan), HasSubstr("max_disagreement is 1.5, expected 0 to 1"));
  plan.rollback = {.max_error_rate = 0.5, .min_requests = 0};
  EXPECT_THAT(error_of(plan), HasSubstr("min_requests is 0"));
}

}  // namespace
}  // namespace onnxop
