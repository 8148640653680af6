#include "onnxop/server/io_loop.h"

#include <thread>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

namespace onnxop {
namespace {

namespace asio = boost::asio;
using std::chrono::microseconds;

TEST(SpinPolicy, LooksWhereTheLastRequestCameSoon) {
  SpinPolicy policy(microseconds(100));
  EXPECT_EQ(policy.window().count(), 0);
  policy.waited(microseconds(60));
  EXPECT_EQ(policy.window(), microseconds(100));
  policy.waited(microseconds(99));
  EXPECT_EQ(policy.window(), microseconds(100));
  policy.waited(microseconds(100));
  EXPECT_EQ(policy.window(), microseconds(100)) << "late once";
  policy.waited(microseconds(80));
  policy.waited(microseconds(100));
  EXPECT_EQ(policy.window(), microseconds(100)) << "once again";
  policy.waited(microseconds(5000));
  EXPECT_EQ(policy.window().count(), 0);
  policy.waited(microseconds(5000));
  EXPECT_EQ(policy.window().count(), 0);
  policy.waited(microseconds(60));
  EXPECT_EQ(policy.window(), microseconds(100));
}

TEST(IoLoop, RunsWhatComesUntilItIsStopped) {
  constexpr int kHandlers = 2000;
  for (const microseconds most : {microseconds(0), microseconds(100'000)}) {
    asio::io_context context{1};
    auto work = asio::make_work_guard(context);
    IoActivity activity;
    int handled = 0;
    std::thread other([&] {
      for (int i = 0; i < kHandlers; ++i) {
        asio::post(context, [&, i] {
          ++handled;
          activity.in_flight = i / 4 % 2;
          activity.last_request = std::chrono::steady_clock::now();
        });
      }
      asio::post(context, [&] { context.stop(); });
    });
    run_io_loop(context, activity, most);
    other.join();
    EXPECT_EQ(handled, kHandlers) << most.count();
  }
}

}  // namespace
}  // namespace onnxop
