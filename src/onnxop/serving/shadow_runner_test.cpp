#include "onnxop/serving/shadow_runner.h"

#include <semaphore>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace onnxop {
namespace {

TEST(ShadowRunner, RunsInOrderAtTheLowestPriority) {
  std::vector<int> order;
  int priority = 0;
  {
    std::binary_semaphore done{0};
    ShadowRunner runner;
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(runner.reserve(1));
      runner.run(1, [&, i] {
        order.push_back(i);
        priority = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
        if (i == 2) {
          done.release();
        }
      });
    }
    done.acquire();
  }
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2));
  EXPECT_EQ(priority, 19);
}

TEST(ShadowRunner, RefusesWhatIsTooMuch) {
  std::binary_semaphore begun{0};
  std::binary_semaphore go_on{0};
  int ran = 0;
  {
    ShadowRunner runner({.max_queued = 2, .max_bytes = 100});
    ASSERT_TRUE(runner.reserve(100));
    runner.run(100, [&] {
      begun.release();
      go_on.acquire();
    });
    begun.acquire();  // from here on nothing leaves the queue
    EXPECT_FALSE(runner.reserve(101));
    ASSERT_TRUE(runner.reserve(60));
    EXPECT_FALSE(runner.reserve(41)) << "bytes";
    runner.run(60, [&] { ++ran; });
    EXPECT_TRUE(runner.reserve(40));
    EXPECT_FALSE(runner.reserve(0)) << "jobs";
    runner.give_back(40);
    EXPECT_TRUE(runner.reserve(1));
    runner.run(1, [&] { ++ran; });
    go_on.release();
  }
  EXPECT_LE(ran, 2) << "what waits at the end may be forgotten";
}

}  // namespace
}  // namespace onnxop
