// Trainings whose database goes away, with a real one.

#include "onnxop/workflow/train_run.h"

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/sha256.h"
#include "onnxop/base/test_error.h"
#include "onnxop/registry/test_postgresql.h"
#include "onnxop/train/test_fixture.h"
#include "onnxop/workflow/unwritten_points.h"

namespace onnxop {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kBatches = 8;  // of an epoch

/// Does something at a step, and when the test samples are looked at: behind the last epoch.
struct AtStep : TrainObserver {
  AtStep(std::int64_t at, std::function<void()> then, std::function<void()> behind = {})
      : step(at), at_step(std::move(then)), at_end(std::move(behind)) {}

  void on_batch(const BatchProgress& progress) override {
    if (progress.step == step) {
      at_step();
    }
  }
  void on_test_outputs(std::span<const float> /*outputs*/) override {
    if (at_end) {
      at_end();
    }
  }

  std::int64_t step;
  std::function<void()> at_step, at_end;
};

class TrainRunTest : public TrainFixture {
 protected:
  StoreLocation location() const { return {url_, folder_ / "store"}; }

  std::vector<std::int64_t> steps_of(const std::string& run_id, const std::string& key) const {
    std::vector<std::int64_t> steps;
    Registry registry(location(), clock_);
    for (const Metric& metric : registry.runs().metric_history(run_id, key)) {
      steps.push_back(metric.step);
    }
    return steps;
  }

  void expect_complete(const TrainRunResult& result) const {
    Registry registry(location(), clock_);
    const onnxop::Run run = registry.runs().get(result.run_id);
    EXPECT_EQ(run.status, RunStatus::kFinished);
    EXPECT_EQ(run.dataset_inputs.size(), 2U);
    EXPECT_EQ(registry.models().versions("quarters").size(), 1U);
    for (const auto& [key, count] :
         {std::pair{"val_loss", std::int64_t{4}}, std::pair{"batch_loss", 4 * kBatches}}) {
      const auto steps = steps_of(result.run_id, key);
      ASSERT_EQ(std::ssize(steps), count) << key;
      EXPECT_TRUE(std::ranges::is_sorted(steps, std::less_equal<>())) << key;
    }
    EXPECT_TRUE(registry.artifacts().find(run_artifact_root(run) + "/curves/loss.svg"));
    EXPECT_TRUE(registry.artifacts().verify().empty());
  }

  TestPostgresql server_;
  const std::string url_ = server_.new_url();
  const SystemClock clock_;
  TrainRunOptions options_{.retry_pause = std::chrono::milliseconds(1)};
};

TEST_F(TrainRunTest, ADatabaseThatComesBackHasEverything) {
  Registry registry(location(), clock_);
  AtStep observer(
      2 * kBatches, [&] { server_.stop(); }, [&] { server_.restart(); });
  const TrainRunResult result = start_training(quarters(), registry, options_, observer);
  EXPECT_THAT(result.tracking_problems, IsEmpty());
  expect_complete(result);

  TestPostgresql other;
  Registry undisturbed(StoreLocation(other.new_url(), folder_ / "other"), clock_);
  TrainObserver quiet;
  EXPECT_EQ(start_training(quarters(), undisturbed, options_, quiet).version.sha256,
            result.version.sha256)
      << "tracking does not change the model";
}

TEST_F(TrainRunTest, WhatCouldNotBeWrittenIsWrittenByTheNextStart) {
  std::string run_id;
  options_.on_run = [&](const std::string& id) { run_id = id; };
  {
    Registry registry(location(), clock_);
    AtStep observer(kBatches + 3, [&] { server_.stop(); });
    const Error error = error_of([&] { start_training(quarters(), registry, options_, observer); });
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(error.what(), HasSubstr("the training is finished"));
    EXPECT_THAT(error.what(), HasSubstr("--resume " + run_id));
  }
  const auto run_dir = location().folder / "runs" / run_id;
  EXPECT_THAT(load_unwritten_points(run_dir), testing::Not(IsEmpty()));
  server_.restart();
  Registry registry(location(), clock_);
  registry.runs().end(run_id, RunStatus::kKilled);  // as another process would find it
  TrainObserver quiet;
  expect_complete(resume_training(run_id, registry, options_, quiet));
  EXPECT_THAT(load_unwritten_points(run_dir), IsEmpty());
}

TEST_F(TrainRunTest, UnderStopTheTrainingEndsWithTheError) {
  options_.on_tracking_error = OnTrackingError::kStop;
  std::string run_id;
  options_.on_run = [&](const std::string& id) { run_id = id; };
  Registry registry(location(), clock_);
  AtStep observer(kBatches, [&] { server_.stop(); });
  const Error error = error_of([&] { start_training(quarters(), registry, options_, observer); });
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  server_.restart();
  EXPECT_TRUE(Registry(location(), clock_).models().list().empty());
}

TEST_F(TrainRunTest, ASpecThatCannotBeRunIsAFailedRun) {
  Registry registry(location(), clock_);
  TrainObserver quiet;
  EXPECT_EQ(code_of([&] {
              start_training(quarters({"data.train_images=nowhere"}), registry, options_, quiet);
            }),
            ErrorCode::kNotFound);
  ASSERT_EQ(registry.runs().list().size(), 1U);
  EXPECT_EQ(registry.runs().list().front().status, RunStatus::kFailed);
}

}  // namespace
}  // namespace onnxop
