#include "onnxop/serving/executors.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <semaphore>

#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

class FunctionJob : public Job {
 public:
  explicit FunctionJob(std::function<void()> function) : function_(std::move(function)) {}
  void run() noexcept override { function_(); }

 private:
  std::function<void()> function_;
};

TEST(Executors, RunsInTheOrderOfSubmission) {
  std::vector<int> order;
  std::binary_semaphore done{0};
  std::vector<std::unique_ptr<FunctionJob>> jobs;
  Executors executors(1, 100);
  for (int i = 0; i < 50; ++i) {
    jobs.push_back(std::make_unique<FunctionJob>([&order, &done, i] {
      order.push_back(i);
      if (i == 49) {
        done.release();
      }
    }));
    ASSERT_TRUE(executors.try_submit(*jobs.back()));
  }
  done.acquire();
  ASSERT_EQ(order.size(), 50U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Executors, AFullQueueRefuses) {
  std::binary_semaphore begun{0};
  std::binary_semaphore go{0};
  std::counting_semaphore<10> done{0};
  FunctionJob held([&] {
    begun.release();
    go.acquire();
    done.release();
  });
  FunctionJob short_one([&] { done.release(); });
  FunctionJob short_two([&] { done.release(); });
  Executors executors(1, 2);
  ASSERT_TRUE(executors.try_submit(held));
  begun.acquire();
  EXPECT_TRUE(executors.try_submit(short_one));
  EXPECT_TRUE(executors.try_submit(short_two));
  EXPECT_EQ(executors.queued(), 2U);
  EXPECT_FALSE(executors.try_submit(short_one));
  go.release();
  for (int i = 0; i < 3; ++i) {
    done.acquire();
  }
  EXPECT_EQ(executors.queued(), 0U);
  EXPECT_TRUE(executors.try_submit(short_one)) << "there is room again";
  done.acquire();
}

TEST(Executors, ThreadsWorkAtOnce) {
  std::counting_semaphore<10> begun{0};
  std::counting_semaphore<10> go{0};
  FunctionJob one([&] {
    begun.release();
    go.acquire();
  });
  FunctionJob two([&] {
    begun.release();
    go.acquire();
  });
  Executors executors(2, 2);
  ASSERT_TRUE(executors.try_submit(one));
  ASSERT_TRUE(executors.try_submit(two));
  begun.acquire();
  begun.acquire();  // both run although neither has ended
  go.release(2);
}

TEST(Executors, StopWaitsForRunningJobsAndForgetsQueuedOnes) {
  std::binary_semaphore begun{0};
  std::binary_semaphore go{0};
  std::atomic<bool> held_ended{false};
  std::atomic<bool> forgotten_ran{false};
  FunctionJob held([&] {
    begun.release();
    go.acquire();
    held_ended = true;
  });
  FunctionJob forgotten([&] { forgotten_ran = true; });
  Executors executors(1, 2);
  ASSERT_TRUE(executors.try_submit(held));
  begun.acquire();
  ASSERT_TRUE(executors.try_submit(forgotten));
  std::thread stopper([&] { executors.stop(); });
  while (executors.try_submit(forgotten) || executors.queued() > 0) {
    std::this_thread::yield();
  }
  go.release();
  stopper.join();
  EXPECT_TRUE(held_ended);
  EXPECT_FALSE(forgotten_ran);
  EXPECT_FALSE(executors.try_submit(forgotten));
  executors.stop();
}

TEST(Executors, JobsMaySubmitThemselvesAgain) {
  std::binary_semaphore done{0};
  Executors executors(3, 4);
  int left = 1000;
  std::unique_ptr<FunctionJob> job;
  job = std::make_unique<FunctionJob>([&] {
    if (--left == 0) {
      done.release();
    } else if (!executors.try_submit(*job)) {
      std::terminate();
    }
  });
  ASSERT_TRUE(executors.try_submit(*job));
  done.acquire();
  EXPECT_EQ(left, 0);
}

TEST(Executors, ImpossibleSizesAreErrors) {
  EXPECT_THROW(Executors(0, 1), Error);
  EXPECT_THROW(Executors(1, 0), Error);
}

}  // namespace
}  // namespace onnxop
