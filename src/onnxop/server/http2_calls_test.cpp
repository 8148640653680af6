// The gRPC service on a real port, asked by a client that does what gRPC's own does not, and from
// many threads.

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <health.pb.h>

#include "onnxop/server/test_http2_calls.h"

namespace onnxop::testing_server {
namespace {

TEST_F(Http2CallsTest, ManyConnectionsWithManyCallsAtOnce) {
  options_.threads = 2;
  start();
  constexpr int kClients = 6;
  constexpr int kRounds = 20;
  constexpr int kAtOnce = 10;
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kClients; ++t) {
    threads.emplace_back([&] {
      Http2Client client(server_->port());
      for (int round = 0; round < kRounds; ++round) {
        std::vector<std::int32_t> streams;
        for (int i = 0; i < kAtOnce; ++i) {
          streams.push_back(client.begin_call(kService + "ModelInfer"));
          client.send_body(streams.back(), framed(digit_message(i)), true);
        }
        for (int i = 0; i < kAtOnce; ++i) {
          right += digit_of(client.wait_for(streams[static_cast<std::size_t>(i)])) == i ? 1 : 0;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(right, kClients * kRounds * kAtOnce);
}

TEST_F(Http2CallsTest, ACallInTheSmallestPieces) {
  start();
  Http2Client client(server_->port());
  const std::int32_t stream = client.begin_call(kService + "ModelInfer");
  for (const char byte : framed(digit_message(6))) {
    client.send_body(stream, {&byte, 1}, false);
    client.flush();
  }
  client.send_body(stream, "", true);
  EXPECT_EQ(digit_of(client.wait_for(stream)), 6);
}

TEST_F(Http2CallsTest, WhatIsNoCallIsRefused) {
  start();
  Http2Client client(server_->port());
  const auto http_status = [&](const std::string& method, const std::string& type) {
    Http2Fields fields{{":method", method},
                       {":scheme", "http"},
                       {":path", kService + "ServerLive"},
                       {":authority", "test"},
                       {"content-type", type}};
    const std::int32_t stream = client.begin(fields);
    client.send_body(stream, framed(""), true);
    return client.wait_for(stream).fields.at(":status");
  };
  EXPECT_EQ(http_status("GET", "application/grpc"), "405");
  EXPECT_EQ(http_status("POST", "application/json"), "415");
  EXPECT_EQ(http_status("POST", "application/grpc-web"), "415");
  EXPECT_EQ(http_status("POST", "application/grpc+proto"), "200");

  const auto status = [&](const std::string& path, const std::string& body,
                          const Http2Fields& fields = {}) {
    const std::int32_t stream = client.begin_call(path, fields);
    client.send_body(stream, body, true);
    const Http2Answer& answer = client.wait_for(stream);
    EXPECT_EQ(answer.fields.at(":status"), "200");
    return answer.grpc_status();
  };
  const std::string live = kService + "ServerLive";
  const std::string infer = kService + "ModelInfer";
  EXPECT_EQ(status(live, framed("")), 0);
  EXPECT_EQ(status("/inference.GRPCInferenceService/Nothing", framed("")), 12);
  EXPECT_EQ(status("/nothing", framed("")), 12);
  for (const std::string& path : {live, infer}) {
    EXPECT_EQ(status(path, ""), 3) << "no message";
    EXPECT_EQ(status(path, framed("") + framed("")), 3) << "two messages";
    EXPECT_EQ(status(path, framed("abc").substr(0, 7)), 3) << "a part of one";
    EXPECT_EQ(status(path, framed("\x0F")), 3) << "no protobuf";
    EXPECT_EQ(status(path, framed("", 7)), 3) << "a flag that is none";
    EXPECT_EQ(status(path, framed("abc", 1)), 12) << "compressed, and nobody says how";
    EXPECT_EQ(status(path, framed("abc", 1), {{"grpc-encoding", "snappy"}}), 12);
    EXPECT_EQ(status(path, framed("abc", 1), {{"grpc-encoding", "gzip"}}), 3) << "not gzip";
    EXPECT_EQ(status(path, framed(""), {{"grpc-timeout", "soon"}}), 3);
  }
  EXPECT_EQ(digit_of(client.call(infer, digit_message(4), {{"grpc-timeout", "1M"}})), 4);
}

TEST_F(Http2CallsTest, WhoGoesAwayIsNotRun) {
  hold();
  start();
  Http2Client client(server_->port());
  std::vector<std::int32_t> streams;
  // Two executors are held, the rest waits.
  for (int i = 0; i < 5; ++i) {
    streams.push_back(client.begin_call(kService + "ModelInfer"));
    client.send_body(streams.back(), framed(digit_message(i)), true);
    client.flush();
    if (i < 2) {
      held_.begun.acquire();
    }
  }
  Http2Client other(server_->port());
  const std::int32_t last = other.begin_call(kService + "ModelInfer");
  other.send_body(last, framed(digit_message(9)), true);
  other.flush();
  client.reset(streams[0]);  // runs
  client.reset(streams[2]);  // waits
  client.reset(streams[3]);
  client.flush();
  EXPECT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0) << "the resets are read";
  held_.go.release(4);
  EXPECT_EQ(digit_of(client.wait_for(streams[1])), 1);
  EXPECT_EQ(digit_of(client.wait_for(streams[4])), 4);
  EXPECT_EQ(digit_of(other.wait_for(last)), 9);
  held_.begun.acquire();
  held_.begun.acquire();
  EXPECT_FALSE(held_.begun.try_acquire()) << "of those that waited two were run";
  // A whole connection.
  for (int i = 0; i < 2; ++i) {
    other.send_body(other.begin_call(kService + "ModelInfer"), framed(digit_message(i)), true);
  }
  other.flush();
  held_.begun.acquire();
  other.abort();
  held_.go.release(10);
  EXPECT_EQ(digit_of(client.call(kService + "ModelInfer", digit_message(7))), 7);
}

TEST_F(Http2CallsTest, AStreamThatBreaksOffInAMessageEnds) {
  start();
  Http2Client client(server_->port());
  const std::int32_t stream = client.begin_call(kService + "ModelStreamInfer");
  client.send_body(stream, framed(digit_message(1)) + framed(digit_message(2)).substr(0, 100),
                   true);
  EXPECT_EQ(client.wait_for(stream).grpc_status(), 3);
}

TEST_F(Http2CallsTest, AnAnswerWaitsForAClientThatReadsSlowly) {
  start();
  constexpr int kCount = 200;
  Http2Client client(server_->port(), 100);
  const std::int32_t stream = client.begin_call(kService + "ModelStreamInfer");
  client.send_body(stream, digit_stream(kCount), true);
  while (!client.answer(stream).closed) {
    client.open_window(stream, 100);
    ASSERT_TRUE(client.step());
  }
  EXPECT_EQ(client.answer(stream).messages().size(), static_cast<std::size_t>(kCount));
  EXPECT_EQ(client.answer(stream).grpc_status(), 0);
}

TEST_F(Http2CallsTest, ASocketThatIsFullIsWaitedFor) {
  start();
  // Much more than a socket holds, and nobody reads.
  Http2Client client(server_->port(), 1U << 30);
  client.open_window(0, 1 << 30);
  constexpr int kCount = 3000;
  std::vector<std::int32_t> streams;
  const std::string live = kService + "ModelStatistics";
  for (int i = 0; i < kCount; ++i) {
    streams.push_back(client.begin_call(live));
    client.send_body(streams.back(), framed(""), true);
  }
  client.flush();
  for (const std::int32_t stream : streams) {
    ASSERT_EQ(client.wait_for(stream).grpc_status(), 0);
  }
}

TEST_F(Http2CallsTest, HealthIsToldToWhoWatchesIt) {
  start();
  using grpc::health::v1::HealthCheckResponse;
  const std::string health = "/grpc.health.v1.Health/";
  Http2Client client(server_->port());
  const auto status_of = [](const std::string& message) {
    HealthCheckResponse response;
    EXPECT_TRUE(response.ParseFromString(message));
    return response.status();
  };
  const auto service = [](const std::string& name) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    return request.SerializeAsString();
  };
  for (const std::string& known : {std::string(), std::string("inference.GRPCInferenceService")}) {
    EXPECT_EQ(status_of(client.call(health + "Check", service(known)).messages().at(0)),
              HealthCheckResponse::SERVING);
  }
  EXPECT_EQ(client.call(health + "Check", service("nothing")).grpc_status(), 5);
  const std::int32_t watch = client.begin_call(health + "Watch");
  client.send_body(watch, framed(""), true);
  const std::int32_t unknown = client.begin_call(health + "Watch");
  client.send_body(unknown, framed(service("nothing")), true);
  while (client.answer(watch).messages().empty() || client.answer(unknown).messages().empty()) {
    ASSERT_TRUE(client.step());
  }
  EXPECT_EQ(status_of(client.answer(watch).messages()[0]), HealthCheckResponse::SERVING);
  EXPECT_EQ(status_of(client.answer(unknown).messages()[0]), HealthCheckResponse::SERVICE_UNKNOWN);
  server_->begin_drain();
  while (client.answer(watch).messages().size() < 2) {
    ASSERT_TRUE(client.step());
  }
  EXPECT_EQ(status_of(client.answer(watch).messages()[1]), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(client.answer(unknown).messages().size(), 1U);
}

TEST_F(Http2CallsTest, WhoWatchesDoesNotKeepTheServerFromStopping) {
  options_.limits.handshake_timeout = std::chrono::hours(1);
  start();
  Http2Client client(server_->port());
  const std::int32_t watch = client.begin_call("/grpc.health.v1.Health/Watch");
  client.send_body(watch, framed(""), true);
  while (client.answer(watch).messages().empty()) {
    ASSERT_TRUE(client.step());
  }
  Client silent(server_->port());
  server_->begin_drain();
  std::thread stopping([this] { server_->stop(std::chrono::hours(1)); });
  const Http2Answer& answer = client.wait_for(watch);
  EXPECT_EQ(answer.grpc_status(), 14);
  EXPECT_EQ(answer.messages().size(), 2U);
  client.wait_for_end();
  client.abort();
  EXPECT_EQ(silent.receive(), std::nullopt);
  silent.abort();
  stopping.join();
}

TEST_F(Http2CallsTest, StoppingFinishesWhatHasBegun) {
  hold();
  start();
  Http2Client client(server_->port());
  const std::int32_t stream = client.begin_call(kService + "ModelInfer");
  client.send_body(stream, framed(digit_message(8)), true);
  client.flush();
  held_.begun.acquire();
  std::thread stopping([this] { server_->stop(std::chrono::minutes(1)); });
  while (!client.was_told_to_go()) {
    ASSERT_TRUE(client.step());
  }
  held_.go.release();
  EXPECT_EQ(digit_of(client.wait_for(stream)), 8);
  client.wait_for_end();
  client.abort();
  stopping.join();
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(Http2CallsTest, StoppingWithoutPatienceWaitsForModelsAlone) {
  hold();
  start();
  Http2Client client(server_->port());
  for (int i = 0; i < 6; ++i) {
    client.send_body(client.begin_call(kService + "ModelInfer"), framed(digit_message(i)), true);
    client.flush();
    if (i < 2) {
      held_.begun.acquire();
    }
  }
  EXPECT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0);
  std::thread stopping([this] { server_->stop(std::chrono::milliseconds(0)); });
  client.wait_for_end();
  held_.go.release(10);
  stopping.join();
  server_.reset();
  int also_begun = 0;
  while (held_.begun.try_acquire()) {
    ++also_begun;
  }
  EXPECT_EQ(also_begun, 0) << "what waited was forgotten";
}

}  // namespace
}  // namespace onnxop::testing_server
