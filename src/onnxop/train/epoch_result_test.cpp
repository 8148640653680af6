#include "onnxop/train/epoch_result.h"

#include <gtest/gtest.h>

namespace onnxop {
namespace {

EpochResult result(std::int64_t epoch, double val_loss, std::optional<double> val_accuracy) {
  EpochResult one;
  one.epoch = epoch;
  one.val_loss = val_loss;
  one.val_accuracy = val_accuracy;
  return one;
}

std::vector<EpochResult> losses(const std::vector<double>& values) {
  std::vector<EpochResult> epochs;
  for (const double value : values) {
    epochs.push_back(result(std::ssize(epochs) + 1, value, std::nullopt));
  }
  return epochs;
}

TEST(EpochResultTest, BestHasTheHighestAccuracyThenTheLowestLoss) {
  EXPECT_EQ(best_epoch({}), 0);
  EXPECT_EQ(best_epoch({result(1, 0.1, 0.9), result(2, 0.5, 0.95), result(3, 0.4, 0.95),
                        result(4, 0.4, 0.95)}),
            3);
}

TEST(EpochResultTest, BestOfRegressionHasTheLowestLoss) {
  EXPECT_EQ(best_epoch(losses({3, 1, 2, 1})), 2);
}

TEST(EpochResultTest, PatienceCountsFromTheLastImprovement) {
  const EarlyStoppingSpec spec = {.patience = 2};
  EXPECT_FALSE(out_of_patience(spec, {}));
  EXPECT_FALSE(out_of_patience(spec, losses({3, 4})));
  EXPECT_TRUE(out_of_patience(spec, losses({3, 4, 3})));
  EXPECT_FALSE(out_of_patience(spec, losses({3, 4, 2, 5})));
  EXPECT_TRUE(out_of_patience({.patience = 0}, losses({3, 3})));
}

TEST(EpochResultTest, SmallImprovementsDoNotCount) {
  const EarlyStoppingSpec spec = {.patience = 2, .min_delta = 0.5};
  EXPECT_TRUE(out_of_patience(spec, losses({3, 2.9, 2.6})));
  EXPECT_FALSE(out_of_patience(spec, losses({3, 2.9, 2.4})));
}

TEST(EpochResultTest, AccuracyHasToGrow) {
  const EarlyStoppingSpec spec = {.patience = 2, .monitor = MonitorKind::kValAccuracy};
  EXPECT_TRUE(out_of_patience(spec, {result(1, 3, 0.5), result(2, 2, 0.5), result(3, 1, 0.4)}));
  EXPECT_FALSE(out_of_patience(spec, {result(1, 3, 0.5), result(2, 4, 0.5), result(3, 5, 0.6)}));
}

}  // namespace
}  // namespace onnxop
