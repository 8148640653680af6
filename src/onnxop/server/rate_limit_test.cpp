#include "onnxop/server/rate_limit.h"

#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"

namespace onnxop {
namespace {

using std::chrono::milliseconds;

TEST(RateLimit, AsItIsTyped) {
  const auto check = [](std::string_view text, double rate, double burst) {
    const RateLimit limit = parse_rate_limit(text);
    EXPECT_EQ(limit.per_second, rate) << text;
    EXPECT_EQ(limit.burst, burst) << text;
  };
  check("100", 100, 100);
  check("100/s", 100, 100);
  check("0.5", 0.5, 1);
  check("10:20", 10, 20);
  check("10/s:1", 10, 1);
  for (const std::string bad : {"", "x", "0", "-1", "10/m", "10/s:", "10:0", "10:0.5", ":5", "1e3",
                                "inf", "nan", "2000000", "10/s/s", "10 ", "10:5:5"}) {
    EXPECT_EQ(code_of([&] { parse_rate_limit(bad); }), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(RateLimiter, GrantsABurstAndThenTheRate) {
  FakeClock clock;
  RateLimiter limiter({.per_second = 2, .burst = 3});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(limiter.take("a", clock.steady()), 0);
  }
  EXPECT_EQ(limiter.take("a", clock.steady()), 1);
  EXPECT_EQ(limiter.take("b", clock.steady()), 0) << "another client has a bucket of its own";
  clock.advance(milliseconds(499));
  EXPECT_EQ(limiter.take("a", clock.steady()), 1);
  clock.advance(milliseconds(1));
  EXPECT_EQ(limiter.take("a", clock.steady()), 0) << "refusals cost nothing";
  EXPECT_EQ(limiter.take("a", clock.steady()), 1);
  clock.advance(milliseconds(3'600'000));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(limiter.take("a", clock.steady()), 0);
  }
  EXPECT_EQ(limiter.take("a", clock.steady()), 1) << "a bucket holds no more than the burst";
}

TEST(RateLimiter, SaysWhenToComeAgain) {
  FakeClock clock;
  RateLimiter limiter({.per_second = 0.1, .burst = 1});
  EXPECT_EQ(limiter.take("a", clock.steady()), 0);
  EXPECT_EQ(limiter.take("a", clock.steady()), 10);
  clock.advance(milliseconds(6500));
  EXPECT_EQ(limiter.take("a", clock.steady()), 4);
  clock.advance(milliseconds(3500));
  EXPECT_EQ(limiter.take("a", clock.steady()), 0);
}

TEST(RateLimiter, OverALongTimeGrantsTheRate) {
  FakeClock clock;
  RateLimiter limiter({.per_second = 7, .burst = 5});
  int granted = 0;
  for (int i = 0; i < 10'000; ++i) {  // 100 s
    granted += limiter.take("a", clock.steady()) == 0 ? 1 : 0;
    clock.advance(milliseconds(10));
  }
  EXPECT_NEAR(granted, 705, 1);
}

TEST(RateLimiter, RemembersNoMoreThanItsMost) {
  FakeClock clock;
  RateLimiter limiter({.per_second = 0.001, .burst = 1}, 100);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(limiter.take(format("{}", i), clock.steady()), 0);
    EXPECT_LE(limiter.clients(), 100U);
  }
  EXPECT_GT(limiter.take("999", clock.steady()), 0) << "the latest are remembered";
  EXPECT_GT(limiter.take("900", clock.steady()), 0);
  EXPECT_EQ(limiter.take("899", clock.steady()), 0) << "the oldest are not";
}

TEST(RateLimiter, ForgetsFullBuckets) {
  FakeClock clock;
  RateLimiter limiter({.per_second = 1, .burst = 1});
  for (int i = 0; i < 50; ++i) {
    limiter.take(format("{}", i), clock.steady());
  }
  EXPECT_EQ(limiter.clients(), 50U);
  clock.advance(milliseconds(1000));
  for (int i = 0; i < 50; ++i) {
    limiter.take(format("new {}", i), clock.steady());
  }
  EXPECT_EQ(limiter.clients(), 50U);
}

TEST(Clients, AreAddressesOrCustomersNetworks) {
  EXPECT_EQ(client_of_address("10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(client_of_address("::ffff:10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(client_of_address("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(client_of_address("2001:db8:1:2::9"), "2001:db8:1:2::/64");
  EXPECT_EQ(client_of_address("unknown"), "unknown");
}

}  // namespace
}  // namespace onnxop
