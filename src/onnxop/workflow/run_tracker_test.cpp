#include "onnxop/workflow/run_tracker.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What was written, and failures to come: of write(), before or behind the work.
struct FakeStore {
  enum class Answer { kDone, kAway, kDoneButLost };

  void wait_for_writes(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return attempts >= count; });
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Answer> answers;  // to the next writes; done when there are no more
  bool always_away = false;
  std::vector<Metric> written;
  std::size_t attempts = 0;
  std::size_t transactions = 0;
};

class FakeSink : public PointSink {
 public:
  explicit FakeSink(FakeStore& store) : store_(store) {}

  void write(const std::vector<Metric>& points) override {
    const std::lock_guard lock(store_.mutex);
    ++store_.attempts;
    store_.changed.notify_all();
    FakeStore::Answer answer = FakeStore::Answer::kDone;
    if (store_.always_away) {
      answer = FakeStore::Answer::kAway;
    } else if (!store_.answers.empty()) {
      answer = store_.answers.front();
      store_.answers.pop_front();
    }
    if (answer == FakeStore::Answer::kAway) {
      fail(ErrorCode::kUnavailable, "the database is away");
    }
    for (const Metric& point : points) {  // as the store: what is there is kept once
      if (std::ranges::none_of(store_.written, [&](const Metric& one) {
            return one.key == point.key && one.step == point.step;
          })) {
        store_.written.push_back(point);
      }
    }
    ++store_.transactions;
    if (answer == FakeStore::Answer::kDoneButLost) {
      fail(ErrorCode::kUnavailable, "the connection broke");
    }
  }

 private:
  FakeStore& store_;
};

class RunTrackerTest : public testing::Test {
 protected:
  static constexpr std::chrono::milliseconds kNever{3'600'000};

  std::unique_ptr<RunTracker> tracker(TrackerOptions options = {}) {
    options.first_pause = std::chrono::milliseconds(0);
    return std::make_unique<RunTracker>(std::make_unique<FakeSink>(store_), std::move(options));
  }

  static std::vector<Metric> points(std::int64_t from, std::int64_t count,
                                    const std::string& key = "loss") {
    std::vector<Metric> points;
    for (std::int64_t step = from; step < from + count; ++step) {
      points.push_back({key, 0.5, 1000 + step, step});
    }
    return points;
  }

  std::vector<std::int64_t> steps_written() {
    std::vector<std::int64_t> steps;
    for (const Metric& point : store_.written) {
      steps.push_back(point.step);
    }
    return steps;
  }

  FakeStore store_;
};

TEST_F(RunTrackerTest, FinishWritesEverythingInOrderAndInFewTransactions) {
  auto tracked = tracker({.write_every = kNever});
  for (std::int64_t step = 1; step <= 100; ++step) {
    tracked->log(points(step, 1));
  }
  const auto rest = tracked->finish();
  EXPECT_TRUE(rest.points.empty());
  EXPECT_EQ(rest.error, "");
  ASSERT_EQ(store_.written.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(store_.written, {}, &Metric::step));
  EXPECT_EQ(store_.transactions, 1U);
}

TEST_F(RunTrackerTest, ManyPointsAreWrittenBeforeTheirTime) {
  auto tracked = tracker({.write_every = kNever});
  tracked->log(points(1, 20'000));
  store_.wait_for_writes(1);
  tracked->finish();
  EXPECT_EQ(store_.written.size(), 20'000U);
}

TEST_F(RunTrackerTest, StepsThatAreThereAlreadyAreLeftOut) {
  auto tracked = tracker({.last_steps = {{"loss", 3}}});
  tracked->log(points(1, 5));
  tracked->log(points(5, 1));
  tracked->log(points(1, 1, "accuracy"));
  tracked->finish();
  EXPECT_THAT(steps_written(), ElementsAre(4, 5, 1));
}

TEST_F(RunTrackerTest, AStoreThatComesBackGetsEverythingOnce) {
  using Answer = FakeStore::Answer;
  store_.answers = {Answer::kAway, Answer::kAway, Answer::kDoneButLost};
  auto tracked = tracker({.write_every = std::chrono::milliseconds(1)});
  tracked->log(points(1, 3));
  store_.wait_for_writes(3);
  tracked->log(points(4, 2));
  const auto rest = tracked->finish();
  EXPECT_EQ(rest.error, "");
  EXPECT_THAT(steps_written(), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(RunTrackerTest, WhatCannotBeWrittenIsHandedBack) {
  store_.always_away = true;
  auto tracked = tracker({.write_every = std::chrono::milliseconds(1), .last_tries = 2});
  tracked->log(points(1, 3));
  store_.wait_for_writes(2);
  EXPECT_NO_THROW(tracked->log(points(4, 2)));
  const auto rest = tracked->finish();
  EXPECT_EQ(rest.points.size(), 5U);
  EXPECT_EQ(rest.points.back().step, 5);
  EXPECT_EQ(rest.lost, 0U);
  EXPECT_EQ(rest.error, "the database is away");
}

TEST_F(RunTrackerTest, TheQueueIsBounded) {
  store_.always_away = true;
  auto tracked = tracker({.most_points = 10, .write_every = kNever, .last_tries = 0});
  tracked->log(points(1, 25));
  const auto rest = tracked->finish();
  EXPECT_EQ(rest.points.size(), 10U);
  EXPECT_EQ(rest.lost, 15U);
}

TEST_F(RunTrackerTest, UnderStopTheTrainingGetsTheError) {
  store_.always_away = true;
  auto tracked =
      tracker({.on_error = OnTrackingError::kStop, .write_every = std::chrono::milliseconds(1)});
  const Error error = error_of([&] {
    for (std::int64_t step = 1;; ++step) {
      tracked->log(points(step, 1));
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.what(), HasSubstr("the database is away"));
  EXPECT_THAT(tracked->finish().error, HasSubstr("away"));
  EXPECT_EQ(store_.attempts, 1U) << "it is not tried again";
}

TEST_F(RunTrackerTest, SamplesAreTakenAtTheStartAndAtTheEnd) {
  auto tracked = tracker({.write_every = kNever,
                          .sample =
                              [](std::int64_t step) {
                                return std::vector<Metric>{{"system/x", 1.0, step, step}};
                              },
                          .sample_every = kNever});
  tracked->finish();
  EXPECT_THAT(steps_written(), ElementsAre(1, 2));
}

TEST_F(RunTrackerTest, StepsAreSkippedWhenWritingTakesMoreThanItsShare) {
  // Too much was used when it first looks, and nothing since.
  auto tracked = tracker({.write_every = kNever, .cpu_seconds = [looks = 0]() mutable {
                            return looks++ == 0 ? 0.0 : 1000.0;
                          }});
  EXPECT_TRUE(tracked->wants_step(1));
  tracked->log(points(1, 5000));  // enough to be written now
  tracked->finish();
  EXPECT_FALSE(tracked->wants_step(1));
  EXPECT_TRUE(tracked->wants_step(2));
}

TEST(StoreSink, WritesToTheRunWhatIsNotThereYet) {
  const TestFolder folder;
  const SystemClock clock;
  Registry registry(folder.path(), clock);
  const std::string run = registry.runs().create({});
  const auto sink = store_sink(registry.location(), run);
  const std::vector<Metric> one{{"loss", 0.5, 10, 1}, {"accuracy", 0.25, 10, 1}};
  sink->write(one);
  sink->write(one);
  EXPECT_EQ(registry.runs().metric_history(run, "loss").size(), 1U);
  EXPECT_EQ(code_of([&] { store_sink(registry.location(), std::string(32, 'a'))->write(one); }),
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace onnxop
