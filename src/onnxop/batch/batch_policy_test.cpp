#include "onnxop/batch/batch_policy.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace onnxop {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
constexpr auto kTake = CallChoice::kTake;
constexpr auto kLeave = CallChoice::kLeave;
constexpr auto kExpired = CallChoice::kExpired;

const SteadyTime kNow{seconds(100)};

std::vector<CallChoice> choose(const std::vector<WaitingCall>& waiting, std::int64_t max_rows) {
  std::vector<CallChoice> choices(waiting.size());
  choose_batch(waiting, max_rows, kNow, choices);
  return choices;
}

TEST(ChooseBatch, TakesTheOldestAndItsLikeUpToTheLimit) {
  EXPECT_THAT(choose({{1, 1}, {1, 1}, {1, 1}}, 2), ElementsAre(kTake, kTake, kLeave));
  EXPECT_THAT(choose({{1, 1}, {1, 1}, {1, 1}}, 8), ElementsAre(kTake, kTake, kTake));
  EXPECT_THAT(choose({{1, 1}}, 1), ElementsAre(kTake));
  EXPECT_THAT(choose({}, 1), ElementsAre());
}

TEST(ChooseBatch, ShapesDoNotMix) {
  EXPECT_THAT(choose({{1, 1}, {2, 1}, {1, 1}, {2, 1}}, 8),
              ElementsAre(kTake, kLeave, kTake, kLeave));
}

TEST(ChooseBatch, RowsCount) {
  EXPECT_THAT(choose({{1, 3}, {1, 4}, {1, 2}}, 8), ElementsAre(kTake, kTake, kLeave))
      << "the last one would make nine";
  EXPECT_THAT(choose({{1, 3}, {1, 6}, {1, 1}}, 8), ElementsAre(kTake, kLeave, kLeave))
      << "nobody overtakes the one that did not fit";
}

TEST(ChooseBatch, ACallLargerThanTheLimitRunsAlone) {
  EXPECT_THAT(choose({{1, 9}, {1, 1}}, 8), ElementsAre(kTake, kLeave));
  EXPECT_THAT(choose({{1, 1}, {1, 9}}, 8), ElementsAre(kTake, kLeave));
}

TEST(ChooseBatch, WhatCameTooLateIsNotRun) {
  const auto in = [](int from_now) { return kNow + seconds(from_now); };
  EXPECT_THAT(choose({{1, 1, in(-1)}, {1, 1, in(0)}, {1, 1, in(1)}, {2, 1, in(-5)}}, 8),
              ElementsAre(kExpired, kExpired, kTake, kExpired));
}

TEST(RowsForOne, IdleExecutorsShareWhatWaits) {
  const std::vector<WaitingCall> six(6);
  EXPECT_EQ(rows_for_one(32, six, 1), 6);
  EXPECT_EQ(rows_for_one(32, six, 2), 3);
  EXPECT_EQ(rows_for_one(32, six, 4), 2);
  EXPECT_EQ(rows_for_one(32, six, 100), 1);
  EXPECT_EQ(rows_for_one(4, six, 1), 4);
  EXPECT_EQ(rows_for_one(1, six, 1), 1);
}

TEST(BestBatchSize, IsTheSmallestThatIsAsGoodAsTheBest) {
  // 1000, 1600, 1900, 1910 rows a second
  const std::vector<BatchTiming> timings{
      {1, .001}, {2, 2 / 1600.0}, {4, 4 / 1900.0}, {8, 8 / 1910.0}};
  EXPECT_EQ(best_batch_size(timings), 4);
  EXPECT_EQ(best_batch_size(std::span(timings).first(2)), 2);
  EXPECT_EQ(best_batch_size({}), 1);
}

TEST(BestBatchSize, SmallStepsAddUp) {
  // 8700, 9050, 9400, 9800, 9850 rows a second: no doubling gives 5 %
  EXPECT_EQ(
      best_batch_size(std::vector<BatchTiming>{
          {1, 1 / 8700.0}, {2, 2 / 9050.0}, {4, 4 / 9400.0}, {8, 8 / 9800.0}, {16, 16 / 9850.0}}),
      8);
}

TEST(BestBatchSize, ASlowRunSaysNothingOfLargerOnes) {
  EXPECT_EQ(best_batch_size(std::vector<BatchTiming>{{1, .001}, {2, .009}, {4, .001}}), 4);
}

TEST(ChooseModel, TheOneThatHadLeast) {
  EXPECT_EQ(choose_model(std::vector<WaitingModel>{{3}, {1}, {2}}), 1U);
  EXPECT_EQ(choose_model(std::vector<WaitingModel>{{1}, {1}}), 0U);
}

}  // namespace
}  // namespace onnxop
