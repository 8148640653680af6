#include "onnxop/server/ready_answers.h"

#include <deque>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace onnxop {
namespace {

namespace asio = boost::asio;

struct Waiter : AnswerWaiter {
  Waiter(int own_number, std::vector<int>& all_told) : number(own_number), told(all_told) {}
  void on_ready() override { told.push_back(number); }
  int number;
  std::vector<int>& told;
};

TEST(ReadyAnswers, OneWakeUpTellsAllInOrder) {
  asio::io_context context{1};
  ReadyAnswers ready;
  std::vector<int> told;
  std::deque<Waiter> waiters;
  for (int i = 0; i < 5; ++i) {
    ready.add(waiters.emplace_back(i, told), context.get_executor());
  }
  EXPECT_EQ(told.size(), 0U);
  EXPECT_EQ(context.run(), 1U) << "handlers";
  EXPECT_EQ(told, (std::vector<int>{0, 1, 2, 3, 4}));
  ready.add(waiters.front(), context.get_executor());  // again
  context.restart();
  EXPECT_EQ(context.run(), 1U);
  EXPECT_EQ(told.back(), 0);
}

TEST(ReadyAnswers, NoneIsLostOrToldTwiceAmongThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 20'000;
  asio::io_context context{1};
  auto work = asio::make_work_guard(context);
  ReadyAnswers ready;
  std::vector<int> told;
  std::deque<Waiter> waiters;
  for (int i = 0; i < kThreads * kEach; ++i) {
    waiters.emplace_back(i, told);
  }
  std::thread io([&] { context.run(); });
  std::vector<std::thread> executors;
  for (int thread = 0; thread < kThreads; ++thread) {
    executors.emplace_back([&, thread] {
      for (int i = thread; i < kThreads * kEach; i += kThreads) {
        ready.add(waiters[static_cast<std::size_t>(i)], context.get_executor());
      }
    });
  }
  for (std::thread& each : executors) {
    each.join();
  }
  work.reset();
  io.join();
  ASSERT_EQ(told.size(), waiters.size());
  std::vector<int> last(kThreads, -1);
  for (const int number : told) {
    int& before = last[static_cast<std::size_t>(number % kThreads)];
    EXPECT_EQ(number / kThreads, before + 1) << "of thread " << number % kThreads;
    before = number / kThreads;
  }
}

}  // namespace
}  // namespace onnxop
