#include "onnxop/batch/scheduler.h"

#include <atomic>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/batch/test_calls.h"

namespace onnxop {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_batch::first_elements;
using testing_batch::GatedScorer;
using testing_batch::TestCall;

/// The calendar is set back by a year each time that somebody looks.
class WildCalendar : public FakeClock {
 public:
  WallTime wall() const override { return FakeClock::wall() - std::chrono::hours(8766) * ++looks_; }

 private:
  mutable std::atomic<int> looks_{0};
};

/// One executor that is held inside a first call, so that what comes then has to wait.
class Scheduling : public testing::Test {
 protected:
  std::shared_ptr<ModelQueue> queue(ModelQueueOptions options) {
    options.on_run = [this](const RunReport& report) { reports_.push_back(report); };
    return std::make_shared<ModelQueue>(gated_, std::move(options));
  }
  void hold(Scheduler& scheduler, const std::shared_ptr<ModelQueue>& held) {
    ASSERT_EQ(scheduler.submit(held, first_), Submitted::kAccepted);
    gated_->begun.acquire();
  }

  FakeClock clock_;
  std::vector<std::int64_t> runs_;  // rows of each
  std::vector<RunReport> reports_;
  std::shared_ptr<GatedScorer> gated_ = std::make_shared<GatedScorer>(first_elements(&runs_));
  TestCall first_{0};
};

TEST_F(Scheduling, AnIdleExecutorTakesOneAtOnceAndWhatComesMeanwhileIsTheNextBatch) {
  const auto model = queue({.name = "m", .max_rows = 8});
  TestCall a(1), b(2, 3), c(3);
  Scheduler scheduler(1, clock_);
  hold(scheduler, model);
  for (TestCall* call : {&a, &b, &c}) {
    ASSERT_EQ(scheduler.submit(model, *call), Submitted::kAccepted);
  }
  EXPECT_EQ(model->waiting(), 3U);
  gated_->gate.release(2);
  for (TestCall* call : {&first_, &a, &b, &c}) {
    call->wait();
  }
  EXPECT_THAT(runs_, ElementsAre(1, 5));
  EXPECT_THAT(a.values(), ElementsAre(1));
  EXPECT_THAT(b.values(), ElementsAre(2, 2, 2));
  EXPECT_THAT(c.values(), ElementsAre(3));
  EXPECT_EQ(b.times.run_rows, 5);
  scheduler.stop();
  ASSERT_EQ(reports_.size(), 2U);
  EXPECT_EQ(reports_[1].calls, 3);
  EXPECT_EQ(reports_[1].rows, 5);
}

TEST_F(Scheduling, WithoutBatchingCallsRunOneByOne) {
  const auto model = queue({.name = "m", .max_rows = 1});
  TestCall a(1), b(2);
  Scheduler scheduler(1, clock_);
  hold(scheduler, model);
  ASSERT_EQ(scheduler.submit(model, a), Submitted::kAccepted);
  ASSERT_EQ(scheduler.submit(model, b), Submitted::kAccepted);
  gated_->gate.release(3);
  a.wait();
  b.wait();
  scheduler.stop();
  EXPECT_THAT(runs_, ElementsAre(1, 1, 1));
}

TEST_F(Scheduling, OneCallersFailureIsItsOwn) {
  const auto model = queue({.name = "m", .max_rows = 8});
  TestCall good(1), bad(-1), broken(2), other(3);
  broken.broken = true;
  Scheduler scheduler(1, clock_);
  hold(scheduler, model);
  for (TestCall* call : {&good, &bad, &broken, &other}) {
    ASSERT_EQ(scheduler.submit(model, *call), Submitted::kAccepted);
  }
  gated_->gate.release(5);
  for (TestCall* call : {&good, &bad, &broken, &other}) {
    call->wait();
  }
  EXPECT_THAT(good.values(), ElementsAre(1));
  EXPECT_THAT(other.values(), ElementsAre(3));
  ASSERT_TRUE(bad.error());
  EXPECT_THAT(bad.error()->what(), HasSubstr("a negative row"));
  ASSERT_TRUE(broken.error());
  EXPECT_THAT(broken.error()->what(), HasSubstr("broken input"));
  scheduler.stop();
  EXPECT_THAT(runs_, ElementsAre(1, 3, 1, 1, 1)) << "the batch, then each by itself";
}

TEST_F(Scheduling, DifferentShapesDoNotMix) {
  const auto model = queue({.name = "m", .max_rows = 8});
  TestCall a(1, 1, 2), b(2, 1, 3), c(3, 1, 2);
  Scheduler scheduler(1, clock_);
  hold(scheduler, model);
  for (TestCall* call : {&a, &b, &c}) {
    ASSERT_EQ(scheduler.submit(model, *call), Submitted::kAccepted);
  }
  gated_->gate.release(3);
  for (TestCall* call : {&a, &b, &c}) {
    call->wait();
    EXPECT_FALSE(call->error());
  }
  scheduler.stop();
  EXPECT_THAT(runs_, ElementsAre(1, 2, 1));
}

TEST_F(Scheduling, AFullQueueRefusesAndHasRoomAgainLater) {
  const auto model = queue({.name = "m", .max_queued = 2});
  TestCall a(1), b(2), c(3);
  Scheduler scheduler(1, clock_);
  hold(scheduler, model);
  EXPECT_EQ(scheduler.submit(model, a), Submitted::kAccepted);
  EXPECT_EQ(scheduler.submit(model, b), Submitted::kAccepted);
  EXPECT_EQ(scheduler.submit(model, c), Submitted::kFull);
  EXPECT_TRUE(scheduler.cancel(model, b));
  EXPECT_EQ(scheduler.submit(model, c), Submitted::kAccepted);
  gated_->gate.release(3);
  a.wait();
  c.wait();
  EXPECT_FALSE(scheduler.cancel(model, c)) << "it was answered";
  EXPECT_FALSE(b.answered());
}

TEST_F(Scheduling, ADeadlineThatPassedInTheQueueIsAnsweredWithoutARun) {
  const auto model = queue({.name = "m", .max_rows = 8});
  TestCall late(1), patient(2);
  late.waiting.deadline = clock_.steady() + std::chrono::milliseconds(10);
  patient.waiting.deadline = clock_.steady() + std::chrono::milliseconds(1000);
  Scheduler scheduler(1, clock_);
  hold(scheduler, model);
  ASSERT_EQ(scheduler.submit(model, late), Submitted::kAccepted);
  ASSERT_EQ(scheduler.submit(model, patient), Submitted::kAccepted);
  clock_.advance(std::chrono::milliseconds(10));
  gated_->gate.release(2);
  late.wait();
  patient.wait();
  ASSERT_TRUE(late.error());
  EXPECT_EQ(late.error()->code(), ErrorCode::kDeadlineExceeded);
  EXPECT_FALSE(patient.error());
  scheduler.stop();
  EXPECT_THAT(runs_, ElementsAre(1, 1));
}

TEST_F(Scheduling, DeadlinesAndTimesDoNotGoByTheCalendar) {
  WildCalendar clock;
  const auto model = queue({.name = "m", .max_rows = 8});
  TestCall late(1), patient(2);
  late.waiting.deadline = clock.steady() + std::chrono::milliseconds(10);
  patient.waiting.deadline = clock.steady() + std::chrono::milliseconds(1000);
  Scheduler scheduler(1, clock);
  hold(scheduler, model);
  ASSERT_EQ(scheduler.submit(model, late), Submitted::kAccepted);
  ASSERT_EQ(scheduler.submit(model, patient), Submitted::kAccepted);
  clock.advance(std::chrono::milliseconds(10));
  gated_->gate.release(2);
  late.wait();
  patient.wait();
  EXPECT_TRUE(late.error());
  EXPECT_FALSE(patient.error());
  scheduler.stop();
  for (const RunReport& report : reports_) {
    EXPECT_GE(report.seconds, 0);
  }
}

TEST_F(Scheduling, ModelsTakeTurns) {
  const auto greedy = queue({.name = "greedy"});
  const auto modest = queue({.name = "modest"});
  std::vector<std::unique_ptr<TestCall>> calls;
  Scheduler scheduler(1, clock_);
  hold(scheduler, greedy);
  for (int i = 0; i < 6; ++i) {
    calls.push_back(std::make_unique<TestCall>(100.F + static_cast<float>(i)));
    ASSERT_EQ(scheduler.submit(i < 4 ? greedy : modest, *calls.back()), Submitted::kAccepted);
  }
  for (int i = 0; i < 7; ++i) {
    clock_.advance(std::chrono::milliseconds(100));  // what every run takes
    gated_->gate.release();
    if (i < 6) {
      gated_->begun.acquire();
    }
  }
  for (const auto& call : calls) {
    call->wait();
  }
  scheduler.stop();
  EXPECT_LT(calls[4]->times.taken, calls[2]->times.taken)
      << "the modest model does not wait for all that the greedy one had queued before";
}

TEST_F(Scheduling, RunsHereOnlyWhereAnExecutorIsIdleAndNothingWaits) {
  const auto model = queue({.name = "m"});
  Scheduler scheduler(1, clock_);
  TestCall direct(7);
  gated_->gate.release();
  ASSERT_TRUE(scheduler.run_here(model, direct));
  EXPECT_TRUE(direct.answered());
  EXPECT_THAT(direct.values(), ElementsAre(7));
  gated_->begun.acquire();
  hold(scheduler, model);
  TestCall other(8);
  EXPECT_FALSE(scheduler.run_here(model, other));
  EXPECT_FALSE(other.answered());
  gated_->gate.release();
  first_.wait();
}

TEST_F(Scheduling, StopAnswersWhatWaits) {
  const auto model = queue({.name = "m"});
  TestCall left(1), after(2);
  Scheduler scheduler(1, clock_);
  hold(scheduler, model);
  ASSERT_EQ(scheduler.submit(model, left), Submitted::kAccepted);
  gated_->gate.release(2);
  scheduler.stop();
  first_.wait();
  left.wait();
  if (left.error()) {  // else it ran before the stop
    EXPECT_EQ(left.error()->code(), ErrorCode::kUnavailable);
  }
  EXPECT_EQ(scheduler.submit(model, after), Submitted::kStopped);
}

TEST_F(Scheduling, NeedsAnExecutor) {
  EXPECT_THROW(Scheduler(0, clock_), Error);
}

TEST(SchedulerLoad, EveryCallOfManyThreadsGetsItsOwnAnswer) {
  const SystemClock clock;
  Scheduler scheduler(3, clock);
  std::vector<std::shared_ptr<ModelQueue>> models;
  for (const int rows : {1, 8, 64}) {
    models.push_back(std::make_shared<ModelQueue>(
        first_elements(), ModelQueueOptions{.name = "m", .max_rows = rows}));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const auto value = static_cast<float>(t * 1000 + i);
        TestCall call(i % 50 == 7 ? -1.F : value, 1 + i % 3);
        const auto& model = models[static_cast<std::size_t>(i) % models.size()];
        if (i % 5 == 0 && scheduler.run_here(model, call)) {
          call.wait();
        } else if (scheduler.submit(model, call) == Submitted::kAccepted) {
          if (i % 11 == 0 && scheduler.cancel(model, call)) {
            continue;
          }
          call.wait();
        } else {
          ++wrong;
          continue;
        }
        const bool failed = i % 50 == 7;
        const std::vector<float> expected(static_cast<std::size_t>(1 + i % 3), value);
        if (call.error().has_value() != failed || (!failed && call.values() != expected)) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(scheduler.waiting(), 0U);
}

}  // namespace
}  // namespace onnxop
