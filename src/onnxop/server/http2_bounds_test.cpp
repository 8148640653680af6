// What a client of gRPC can make the server hold has bounds, each gone to here.

#include <gmock/gmock.h>

#include "onnxop/server/test_http2_calls.h"

namespace onnxop::testing_server {
namespace {

using testing::HasSubstr;

class Http2BoundsTest : public Http2CallsTest {};

TEST_F(Http2BoundsTest, ALargeMessageIsRefusedAtItsPrefix) {
  options_.limits.max_message_bytes = 100;
  start();
  Http2Client client(server_->port());
  const std::int32_t stream = client.begin_call(kService + "ModelInfer");
  client.send_body(stream, framed(std::string(101, 'x')).substr(0, 5), false);
  EXPECT_EQ(client.wait_for(stream).grpc_status(), 8);
  EXPECT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0) << "the others go on";
}

TEST_F(Http2BoundsTest, WhoMaySendNoInferencesHasNoRoomForThem) {
  start();
  Http2Client client(server_->port());
  const std::string long_name(70'000, 'x');
  for (const std::string& path : {kService + "ServerLive", kService + "ModelReady",
                                  std::string("/grpc.health.v1.Health/Check")}) {
    EXPECT_EQ(client.call(path, long_name).grpc_status(), 8) << path;
  }
}

TEST_F(Http2BoundsTest, MessagesThatAreNotFinishedShareOneRoom) {
  options_.limits.max_message_bytes = 10'000;
  start();
  Http2Client client(server_->port());
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 4; ++i) {
    streams.push_back(client.begin_call(kService + "ModelInfer"));
    client.send_body(streams.back(), framed(std::string(9990, 'x')), false);
    EXPECT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0);
  }
  const Http2Answer& fifth = client.call(kService + "ModelInfer", digit_message(5));
  EXPECT_EQ(fifth.grpc_status(), 8);
  EXPECT_THAT(fifth.fields.at("grpc-message"), HasSubstr("40000"));
  client.reset(streams[0]);
  EXPECT_EQ(digit_of(client.call(kService + "ModelInfer", digit_message(6))), 6);
  Http2Client other(server_->port());
  EXPECT_EQ(digit_of(other.call(kService + "ModelInfer", digit_message(7))), 7)
      << "it has its own room";
}

TEST_F(Http2BoundsTest, ALongReasonIsCutOff) {
  start();
  Http2Client client(server_->port());
  inference::ModelMetadataRequest request;
  request.set_name(std::string(60'000, '%'));
  const Http2Answer& answer = client.call(kService + "ModelMetadata", request.SerializeAsString());
  EXPECT_EQ(answer.grpc_status(), 5);
  EXPECT_GT(answer.fields.at("grpc-message").size(), 1000U);
  EXPECT_LE(answer.fields.at("grpc-message").size(), 3000U);
}

TEST_F(Http2BoundsTest, TooMuchMetadataIsSaidWhateverComesAfterIt) {
  options_.limits.max_metadata_bytes = 1000;
  start();
  Http2Client client(server_->port());
  const std::int32_t stream = client.begin({{":method", "POST"},
                                            {":scheme", "http"},
                                            {":path", kService + "ServerLive"},
                                            {":authority", "test"},
                                            {"x-long", std::string(1000, 'x')},
                                            {"content-type", "application/grpc"}});
  client.send_body(stream, framed(""), true);
  EXPECT_EQ(client.wait_for(stream).grpc_status(), 8);
}

TEST_F(Http2BoundsTest, WhoTakesNoAnswerLosesIt) {
  options_.limits.write_timeout = std::chrono::milliseconds(20);
  start();
  Http2Client client(server_->port(), 10);
  const Http2Answer& answer = client.call(kService + "ModelStatistics", "");
  EXPECT_EQ(answer.error, 8U);  // CANCEL
  EXPECT_EQ(answer.body.size(), 10U);
  EXPECT_EQ(client.call("/nothing", "").grpc_status(), 12) << "what needs no room is answered";
}

TEST_F(Http2BoundsTest, WhoOpensStreamsAndNeverReadsIsCutOff) {
  options_.limits.max_calls = 1;
  start();
  Client client(server_->port());
  std::string bytes =
      std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string("\0\0\0\4\0\0\0\0\0", 9);
  bool taken = true;
  constexpr std::uint32_t kMost = 20'000'000;
  std::uint32_t stream = 1;
  for (; taken && stream < kMost; stream += 2) {
    bytes += std::string("\0\0\6\1\4", 5);
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
      bytes += static_cast<char>(stream >> shift);
    }
    bytes += "\x83\x86\x84\x41\1t";  // POST http / with an authority
    if (bytes.size() > 60'000) {
      taken = client.send(bytes);
      bytes.clear();
    }
  }
  EXPECT_LT(stream, kMost);
  Http2Client other(server_->port());
  EXPECT_EQ(other.call(kService + "ServerLive", "").grpc_status(), 0);
}

TEST_F(Http2BoundsTest, AStreamHoldsBackWhatIsTooMuchAtOnce) {
  hold();
  options_.max_stream_inferences = 3;
  start();
  Http2Client client(server_->port());
  const std::int32_t stream = client.begin_call(kService + "ModelStreamInfer");
  constexpr int kCount = 40;
  client.send_body(stream, digit_stream(kCount), true);
  client.flush();
  EXPECT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0);
  held_.go.release(2 * kCount);
  const Http2Answer& answer = client.wait_for(stream);
  EXPECT_EQ(answer.grpc_status(), 0);
  ASSERT_EQ(answer.messages().size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) {
    inference::ModelStreamInferResponse response;
    ASSERT_TRUE(response.ParseFromString(answer.messages()[static_cast<std::size_t>(i)]));
    EXPECT_EQ(response.error_message(), "");
    EXPECT_EQ(best(response.infer_response()), static_cast<std::size_t>(i % 10));
  }
}

TEST_F(Http2BoundsTest, WhoReadsNoAnswersIsNotAskedForQuestions) {
  start();
  constexpr int kCount = 3000;
  Http2Client client(server_->port(), 100);
  const std::int32_t stream = client.begin_call(kService + "ModelStreamInfer");
  client.send_body(stream, digit_stream(kCount), true);
  std::uint64_t before = 1;
  std::uint64_t run = 0;
  while (before != run) {  // until nothing moves any more
    before = run;
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0);
    }
    run = catalog_.snapshot()->find("mnist")->stats->snapshot().requests[{Protocol::kGrpc, 200}];
  }
  EXPECT_LT(run, 1500U);
  client.open_window(stream, 1 << 24);
  const Http2Answer& answer = client.wait_for(stream);
  EXPECT_EQ(answer.grpc_status(), 0);
  EXPECT_EQ(answer.messages().size(), static_cast<std::size_t>(kCount));
}

TEST_F(Http2BoundsTest, FieldsWithoutEndAreNotListenedTo) {
  start();
  Client client(server_->port());
  std::string block = "\x83\x86\x84\x41\1t";  // POST http / with an authority
  block += std::string("\x40\1x\x7F\xB9\x16", 6) + std::string(3000, 'y');
  block += std::string(2000, '\xBE');  // the same again, a byte each
  std::string bytes = hello();
  bytes += {0, static_cast<char>(block.size() >> 8U), static_cast<char>(block.size()), 1, 4};
  bytes += std::string("\0\0\0\1", 4) + block;
  client.send(bytes);
  EXPECT_EQ(client.receive(), std::nullopt);
  EXPECT_EQ(Http2Client(server_->port()).call(kService + "ServerLive", "").grpc_status(), 0);
}

}  // namespace
}  // namespace onnxop::testing_server
