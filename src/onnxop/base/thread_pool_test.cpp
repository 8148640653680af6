#include "onnxop/base/thread_pool.h"

#include <atomic>
#include <stdexcept>

#include <gtest/gtest.h>

namespace onnxop {
namespace {

TEST(ThreadPool, RunsEveryIndexOnceOnKnownWorkers) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int round = 0; round < 50; ++round) {
      std::vector<std::atomic<int>> counts(97);
      pool.run(97, [&](int index, int worker) {
        EXPECT_GE(worker, 0);
        EXPECT_LT(worker, threads);
        ++counts[static_cast<std::size_t>(index)];
      });
      for (const auto& count : counts) {
        EXPECT_EQ(count, 1);
      }
    }
  }
}

TEST(ThreadPool, TheFirstExceptionComesBackAndThePoolGoesOn) {
  ThreadPool pool(2);
  const auto work = [](int index, int) {
    if (index == 3) {
      throw std::runtime_error("three");
    }
  };
  EXPECT_THROW(pool.run(10, work), std::runtime_error);
  std::atomic<int> done = 0;
  pool.run(10, [&](int, int) { ++done; });
  EXPECT_EQ(done, 10);
}

TEST(ThreadPool, NothingToDoReturns) {
  ThreadPool pool(3);
  pool.run(0, [](int, int) { FAIL(); });
}

TEST(ThreadPool, StartsEachNewThreadWithItsWorkerNumber) {
  std::atomic<int> sum = 0;
  {
    ThreadPool pool(4, [&](int worker) { sum += worker; });
  }
  EXPECT_EQ(sum, 1 + 2 + 3);
}

}  // namespace
}  // namespace onnxop
