// The session against nghttp2's client, byte by byte, without sockets.

#include "onnxop/server/http2_session.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/server/test_http2_client.h"

namespace onnxop::testing_server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Http2SessionTest : public testing::Test, protected Http2Events {
 protected:
  /// Both ways, until nobody has anything to say.
  void exchange(std::size_t piece = 1U << 20) {
    for (bool going_on = true; going_on;) {
      const std::string out = peer_.output();
      for (std::size_t at = 0; at < out.size(); at += piece) {
        fed_ = fed_ && session_.feed(std::as_bytes(
                           std::span(out).subspan(at, std::min(piece, out.size() - at))));
      }
      std::string in;
      session_.pull(in, 1U << 20);
      peer_.feed(in);
      going_on = !out.empty() || !in.empty();
    }
  }

  void on_field(std::int32_t stream, const Http2Field& field) override {
    told_.push_back(format("{} {}={}", stream, field.name, field.value));
  }
  void on_head(std::int32_t stream) override { told_.push_back(format("{} head", stream)); }
  void on_data(std::int32_t stream, std::span<const std::byte> bytes) override {
    if (throws_) {
      throw std::runtime_error("from an event");
    }
    data_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (consumes_) {
      session_.consume(stream, bytes.size());
    }
  }
  void on_end(std::int32_t stream) override { told_.push_back(format("{} end", stream)); }
  void on_drained(std::int32_t stream) override { told_.push_back(format("{} drained", stream)); }
  void on_closed(std::int32_t stream) override { told_.push_back(format("{} closed", stream)); }
  void on_settings() override { ++settings_; }
  void on_ping() override { ++pings_; }
  void on_ping_answered() override { ++pings_answered_; }

  static constexpr Http2Field kOk{":status", "200"};

  Http2Limits limits_;
  Http2Session session_{*this, limits_};
  Http2Peer peer_{1000};
  std::vector<std::string> told_;
  std::string data_;
  int settings_ = 0;
  int pings_ = 0;
  int pings_answered_ = 0;
  bool consumes_ = true;
  bool throws_ = false;
  bool fed_ = true;
};

TEST_F(Http2SessionTest, ARequestAndItsAnswer) {
  const std::int32_t stream = peer_.begin({{":method", "POST"},
                                           {":scheme", "http"},
                                           {":path", "/a"},
                                           {":authority", "test"},
                                           {"x-key", "value"}});
  peer_.send_body(stream, "question", true);
  exchange(1);
  EXPECT_THAT(told_, ElementsAre("1 :method=POST", "1 :scheme=http", "1 :path=/a",
                                 "1 :authority=test", "1 x-key=value", "1 head", "1 end"));
  EXPECT_EQ(data_, "question");
  EXPECT_EQ(settings_, 1);
  session_.send_head(stream, std::vector<Http2Field>{kOk, {"x-answer", "yes"}});
  session_.send_body(stream, "one, ");
  exchange();
  EXPECT_EQ(peer_.answer(stream).body, "one, ") << "before the rest is there";
  EXPECT_EQ(told_.back(), "1 drained");
  EXPECT_FALSE(peer_.answer(stream).closed);
  session_.send_body(stream, "two");
  session_.send_trailers(stream, std::vector<Http2Field>{{"x-end", "so"}});
  exchange();
  const Http2Answer& answer = peer_.answer(stream);
  EXPECT_TRUE(answer.closed);
  EXPECT_EQ(answer.error, 0U);
  EXPECT_EQ(answer.body, "one, two");
  EXPECT_THAT(answer.fields,
              ElementsAre(testing::Pair(":status", "200"), testing::Pair("x-answer", "yes"),
                          testing::Pair("x-end", "so")));
  EXPECT_EQ(told_.back(), "1 closed");
  session_.send_body(stream, "nobody is there any more");
  session_.send_trailers(stream, {});
  exchange();
}

TEST_F(Http2SessionTest, AnAnswerWithoutABodyEndsARequestThatGoesOn) {
  const std::int32_t stream = peer_.begin_call("/a");
  peer_.send_body(stream, "some of it", false);
  exchange();
  session_.send_head_only(stream, std::vector<Http2Field>{kOk});
  exchange();
  EXPECT_TRUE(peer_.answer(stream).closed);
  EXPECT_EQ(peer_.answer(stream).error, 0U);
  EXPECT_EQ(told_.back(), "1 closed");
}

TEST_F(Http2SessionTest, AnAnswerWaitsForTheClientsWindow) {
  const std::int32_t stream = peer_.begin_call("/a");
  peer_.send_body(stream, "", true);
  exchange();
  session_.send_head(stream, std::vector<Http2Field>{kOk});
  session_.send_body(stream, std::string(2500, 'x'));
  session_.send_trailers(stream, {});
  exchange();
  EXPECT_EQ(peer_.answer(stream).body.size(), 1000U);
  EXPECT_EQ(session_.unsent(stream), 1500U);
  peer_.open_window(stream, 1000);
  exchange();
  EXPECT_EQ(peer_.answer(stream).body.size(), 2000U);
  EXPECT_FALSE(peer_.answer(stream).closed);
  peer_.open_window(stream, 1000);
  exchange();
  EXPECT_EQ(peer_.answer(stream).body.size(), 2500U);
  EXPECT_EQ(session_.unsent(stream), 0U);
  EXPECT_TRUE(peer_.answer(stream).closed);
}

TEST_F(Http2SessionTest, AClientWaitsUntilItsBytesAreConsumed) {
  consumes_ = false;
  const std::int32_t stream = peer_.begin_call("/a");
  const auto window = static_cast<std::size_t>(limits_.stream_window);
  peer_.send_body(stream, std::string(2 * window, 'x'), true);
  exchange();
  EXPECT_EQ(data_.size(), window);
  const std::int32_t other = peer_.begin_call("/b");
  peer_.send_body(other, "y", true);
  exchange();
  EXPECT_EQ(data_.back(), 'y') << "one does not hold up the others";
  session_.consume(stream, window);
  exchange();
  EXPECT_EQ(data_.size(), 2 * window + 1);
}

TEST_F(Http2SessionTest, WhoResetsAStreamIsGone) {
  const std::int32_t stream = peer_.begin_call("/a");
  exchange();
  session_.send_head(stream, std::vector<Http2Field>{kOk});
  peer_.reset(stream);
  exchange();
  EXPECT_EQ(told_.back(), "1 closed");
}

TEST_F(Http2SessionTest, PingsGoBothWays) {
  peer_.ping();
  session_.send_ping();
  exchange();
  EXPECT_EQ(pings_, 1);
  EXPECT_EQ(pings_answered_, 1);
  EXPECT_EQ(peer_.pings_answered(), 1);
}

TEST_F(Http2SessionTest, AnEndLetsGoOnWhatHasBegun) {
  const std::int32_t stream = peer_.begin_call("/a");
  exchange();
  session_.begin_end();
  exchange();
  EXPECT_TRUE(peer_.was_told_to_go());
  session_.end();
  exchange();
  EXPECT_FALSE(session_.over());
  session_.send_head_only(stream, std::vector<Http2Field>{kOk});
  exchange();
  EXPECT_TRUE(session_.over());
}

TEST_F(Http2SessionTest, WhoAsksTooMuchIsTold) {
  exchange();
  session_.end_calmly("too_many_pings");
  exchange();
  EXPECT_EQ(peer_.reason_to_go(), 11U);  // ENHANCE_YOUR_CALM
  EXPECT_TRUE(session_.over());
}

TEST_F(Http2SessionTest, WhoSpeaksSomethingElseIsRefused) {
  const std::string request = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
  EXPECT_FALSE(session_.feed(std::as_bytes(std::span(request))));
}

TEST_F(Http2SessionTest, ABrokenRuleEndsTheConnection) {
  exchange();
  const std::string data_of_no_stream{0, 0, 1, 0, 0, 0, 0, 0, 5, 'x'};
  session_.feed(std::as_bytes(std::span(data_of_no_stream)));
  exchange();
  EXPECT_EQ(peer_.reason_to_go(), 1U);  // PROTOCOL_ERROR
  EXPECT_TRUE(session_.over());
}

TEST_F(Http2SessionTest, WhatAnEventThrowsComesOutOfFeed) {
  throws_ = true;
  const std::int32_t stream = peer_.begin_call("/a");
  peer_.send_body(stream, "x", true);
  EXPECT_THROW(exchange(), std::runtime_error);
}

}  // namespace
}  // namespace onnxop::testing_server
