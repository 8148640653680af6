#include "onnxop/server/grpc_times.h"

#include <gtest/gtest.h>

namespace onnxop {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Action = GrpcTimes::Action;

class GrpcTimesTest : public testing::Test {
 protected:
  GrpcTimesTest() {
    limits_.handshake_timeout = seconds(10);
    limits_.idle_timeout = seconds(75);
    limits_.keepalive = seconds(60);
    limits_.max_age = seconds(3600);
    limits_.min_ping = seconds(10);
  }

  static SteadyTime at(int second) { return SteadyTime(seconds(1'000'000 + second)); }

  GrpcTimes greeted() const {
    GrpcTimes times(limits_, limits_.max_age, at(0));
    times.on_input(at(0));
    times.on_settings();
    return times;
  }

  GrpcLimits limits_;
};

TEST_F(GrpcTimesTest, AHandshakeHasItsTime) {
  GrpcTimes times(limits_, limits_.max_age, at(0));
  times.on_input(at(9));
  EXPECT_EQ(times.next(), at(10));
  EXPECT_EQ(times.due(at(9)), Action::kNone);
  EXPECT_EQ(times.due(at(10)), Action::kCut);
}

TEST_F(GrpcTimesTest, WhoIsSilentIsAskedForAWord) {
  limits_.idle_timeout = seconds(10'000);
  GrpcTimes times = greeted();
  EXPECT_EQ(times.next(), at(60));
  EXPECT_EQ(times.due(at(60)), Action::kPing);
  EXPECT_EQ(times.due(at(60)), Action::kNone) << "once";
  EXPECT_EQ(times.next(), at(80)) << "20 s of patience";
  times.on_input(at(79));
  EXPECT_EQ(times.due(at(80)), Action::kNone);
  EXPECT_EQ(times.next(), at(139));
  EXPECT_EQ(times.due(at(139)), Action::kPing);
  EXPECT_EQ(times.due(at(159)), Action::kCut);
}

TEST_F(GrpcTimesTest, WithoutACallAConnectionRetires) {
  GrpcTimes times = greeted();
  times.on_calls(1, at(5));
  times.on_input(at(50));
  times.on_calls(0, at(50));
  times.on_calls(0, at(55));  // still none
  times.on_input(at(100));
  EXPECT_EQ(times.next(), at(125));
  EXPECT_EQ(times.due(at(125)), Action::kRetire);
  EXPECT_EQ(times.due(at(125)), Action::kNone) << "once";
  EXPECT_EQ(times.next(), at(130)) << "to read that it should go";
  times.on_input(at(129));
  EXPECT_EQ(times.due(at(130)), Action::kCut);
}

TEST_F(GrpcTimesTest, AnOldConnectionRetiresAndItsCallsAreFinished) {
  limits_.keepalive = seconds(100'000);
  GrpcTimes times = greeted();
  times.on_calls(3, at(1));
  EXPECT_EQ(times.next(), at(3600));
  EXPECT_EQ(times.due(at(3600)), Action::kRetire);
  EXPECT_EQ(times.next(), at(7200));
  times.on_calls(0, at(4000));
  EXPECT_EQ(times.next(), at(4005));
  EXPECT_EQ(times.due(at(4005)), Action::kCut);
  limits_.max_age = milliseconds(0);
  GrpcTimes ageless(limits_, limits_.max_age, at(0));
  ageless.on_settings();
  ageless.on_calls(1, at(1));
  EXPECT_EQ(ageless.next(), at(100'000));
  ageless.on_retired(at(10));  // the server ends: it sees to it
  EXPECT_EQ(ageless.next(), at(100'000));
}

TEST_F(GrpcTimesTest, PingsAreCountedWhereNothingElseIsAsked) {
  GrpcTimes times = greeted();
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(times.on_ping(at(10 * i))) << "not too early";
  }
  EXPECT_TRUE(times.on_ping(at(99)));
  EXPECT_TRUE(times.on_ping(at(99)));
  EXPECT_FALSE(times.on_ping(at(99)));
  GrpcTimes busy = greeted();
  busy.on_calls(1, at(0));
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(busy.on_ping(at(0)));
  }
  busy.on_calls(0, at(1));
  EXPECT_TRUE(busy.on_ping(at(1)));
  EXPECT_TRUE(busy.on_ping(at(1)));
  busy.on_calls(1, at(2));
  busy.on_calls(0, at(2));
  EXPECT_TRUE(busy.on_ping(at(2))) << "a call is forgiveness";
  EXPECT_TRUE(busy.on_ping(at(2)));
  EXPECT_TRUE(busy.on_ping(at(2)));
  EXPECT_FALSE(busy.on_ping(at(2)));
}

TEST_F(GrpcTimesTest, TimesMayBeEndless) {
  limits_.idle_timeout = limits_.keepalive = milliseconds(1'000'000'000'000);
  limits_.max_age = milliseconds(0);
  const GrpcTimes times = greeted();
  EXPECT_GT(times.next(), at(1'000'000'00));
}

}  // namespace
}  // namespace onnxop
