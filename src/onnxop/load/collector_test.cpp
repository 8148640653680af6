// The windows' edges, by a clock that stands still, and loops over functions.

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/load/call_load.h"
#include "onnxop/load/sample_collector.h"

namespace onnxop {
namespace {

TEST(SampleCollector, CutsByNumber) {
  FakeClock clock;
  SampleCollector collector(clock);
  for (int i = 0; i < 5; ++i) {
    collector.add({1, 0, 200});
  }
  clock.advance(std::chrono::milliseconds(2500));
  const LoadWindow window = collector.cut({.requests = 4});
  EXPECT_EQ(window.samples.size(), 5U);
  EXPECT_EQ(window.seconds, 2.5);
  collector.add({1, 0, 200});
  clock.advance(std::chrono::milliseconds(500));
  collector.finish();
  const LoadWindow last = collector.cut({.requests = 4});
  EXPECT_EQ(last.samples.size(), 1U) << "no more will come";
  EXPECT_EQ(last.seconds, 0.5) << "from the last cut on";
}

TEST(SampleCollector, CutsByTimeThatHasPassed) {
  FakeClock clock;  // long ago, by the clock that waits
  SampleCollector collector(clock);
  collector.add({1, 0, 200});
  collector.finish();
  EXPECT_EQ(collector.cut({.seconds = 1000}).samples.size(), 1U);
}

TEST(CutWindows, UntilTheyAgree) {
  const SystemClock clock;
  SampleCollector collector(clock);
  std::thread source([&] {
    while (!collector.finished()) {
      collector.add({1, 0, 200});
      std::this_thread::yield();
    }
  });
  int boundaries = 0;
  // Everything agrees within 1000 times the mean.
  const auto windows =
      cut_windows(collector, {.requests = 10, .steady = 3, .most = 9, .tolerance = 1000},
                  [&] { ++boundaries; });
  collector.finish();
  source.join();
  EXPECT_EQ(windows.size(), 3U);
  EXPECT_EQ(boundaries, 4);
}

TEST(CutWindows, AtMostSoMany) {
  FakeClock clock;  // no time passes: no throughput, so nothing agrees
  SampleCollector collector(clock);
  std::thread source([&] {
    while (!collector.finished()) {
      collector.add({1, 0, 200});
      std::this_thread::yield();
    }
  });
  const auto windows = cut_windows(collector, {.requests = 10, .most = 4}, {});
  collector.finish();
  source.join();
  EXPECT_EQ(windows.size(), 4U);
}

TEST(CutWindows, EndWithTheLoad) {
  FakeClock clock;
  SampleCollector collector(clock);
  collector.add({1, 0, 500});
  collector.finish();
  EXPECT_EQ(cut_windows(collector, {.requests = 10}, {}).size(), 1U);
}

TEST(CallLoad, CallsAsOftenAsItShould) {
  std::atomic<int> calls = 0;
  const LoadReport report =
      run_call_load([&] { ++calls; }, 3, {.requests = 500, .steady = 1, .most = 1});
  EXPECT_EQ(calls, 500);
  EXPECT_EQ(report.figures.answered, 500);
  EXPECT_EQ(report.windows.size(), 1U);
  EXPECT_TRUE(report.steady);
}

TEST(CallLoad, WhatACallThrowsEndsIt) {
  std::atomic<int> calls = 0;
  const auto call = [&] {
    if (++calls == 7) {
      fail(ErrorCode::kDataLoss, "the seventh");
    }
  };
  EXPECT_THROW(run_call_load(call, 2, {.requests = 1'000'000'000, .most = 1}), Error);
  EXPECT_LT(calls, 1'000'000);
  EXPECT_THROW(run_call_load(call, 0, {}), Error);
}

}  // namespace
}  // namespace onnxop
