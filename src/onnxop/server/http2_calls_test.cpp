// The gRPC service on a real port, asked by a client that does what gRPC's own does not, and from
// many threads.

#include <atomic>
#include <cstring>
#include <semaphore>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <health.pb.h>
#include <open_inference.pb.h>

#include "onnxop/server/grpc_server.h"
#include "onnxop/server/test_client.h"
#include "onnxop/server/test_http2_client.h"

namespace onnxop::testing_server {
namespace {

using testing::HasSubstr;

const std::string kService = "/inference.GRPCInferenceService/";

std::string digit(int value, const std::string& model = "mnist") {
  inference::ModelInferRequest request;
  request.set_model_name(model);
  request.set_id(format("{}", value));
  auto& input = *request.add_inputs();
  input.set_name("image");
  input.set_datatype("FP32");
  for (const int size : {1, 28, 28, 1}) {
    input.add_shape(size);
  }
  const std::vector<float> pixels(784, static_cast<float>(value));
  request.add_raw_input_contents(pixels.data(), pixels.size() * sizeof(float));
  return request.SerializeAsString();
}

int best(const inference::ModelInferResponse& response) {
  std::vector<float> values(10);
  const std::string& raw = response.raw_output_contents(0);
  std::memcpy(values.data(), raw.data(), std::min(raw.size(), values.size() * sizeof(float)));
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

class Http2CallsTest : public testing::Test {
 protected:
  Http2CallsTest() {
    catalog_.publish(set_of(served("mnist", 3, scorer_, digit_contract(), {.max_batch = 8})));
    options_.port = 0;
    options_.access_log = false;
  }

  void start() { server_ = std::make_unique<GrpcServer>(options_, core_, "1.2.3"); }

  /// What the model says, or -1 - the status.
  static int digit_of(const Http2Answer& answer) {
    inference::ModelInferResponse response;
    if (answer.grpc_status() != 0) {
      return -1 - answer.grpc_status();
    }
    EXPECT_TRUE(response.ParseFromString(answer.messages().at(0)));
    return best(response);
  }

  /// What a client begins with: the preface, and settings of which there are none.
  static std::string hello() {
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
  }

  /// A model that runs when it is let go.
  void hold() {
    const auto held =
        std::make_shared<FakeScorer>(scorer_->inputs(), scorer_->outputs(),
                                     [this, fake = scorer_](std::span<const NamedTensor> inputs) {
                                       begun_.release();
                                       go_.acquire();
                                       return fake->run(inputs);
                                     });
    catalog_.publish(set_of(served("mnist", 1, held)));
  }

  std::counting_semaphore<> begun_{0};
  std::counting_semaphore<> go_{0};
  std::shared_ptr<FakeScorer> scorer_ = fake_classifier(28, 28, 1, 10);
  Catalog catalog_;
  SystemClock clock_;
  Scheduler scheduler_{2, clock_};
  ServingCore core_{catalog_, scheduler_};
  GrpcOptions options_;
  std::unique_ptr<GrpcServer> server_;
};

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
          client.send_body(streams.back(), framed(digit(i)), true);
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
  for (const char byte : framed(digit(6))) {
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
  EXPECT_EQ(digit_of(client.call(infer, digit(4), {{"grpc-timeout", "1M"}})), 4);
}

TEST_F(Http2CallsTest, ALargeMessageIsRefusedAtItsPrefix) {
  options_.limits.max_message_bytes = 100;
  start();
  Http2Client client(server_->port());
  const std::int32_t stream = client.begin_call(kService + "ModelInfer");
  client.send_body(stream, framed(std::string(101, 'x')).substr(0, 5), false);
  EXPECT_EQ(client.wait_for(stream).grpc_status(), 8);
  EXPECT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0) << "the others go on";
}

TEST_F(Http2CallsTest, WhoMaySendNoInferencesHasNoRoomForThem) {
  start();
  Http2Client client(server_->port());
  const std::string long_name(70'000, 'x');
  for (const std::string& path : {kService + "ServerLive", kService + "ModelReady",
                                  std::string("/grpc.health.v1.Health/Check")}) {
    EXPECT_EQ(client.call(path, long_name).grpc_status(), 8) << path;
  }
}

TEST_F(Http2CallsTest, MessagesThatAreNotFinishedShareOneRoom) {
  options_.limits.max_message_bytes = 10'000;
  start();
  Http2Client client(server_->port());
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 4; ++i) {
    streams.push_back(client.begin_call(kService + "ModelInfer"));
    client.send_body(streams.back(), framed(std::string(9990, 'x')), false);
    EXPECT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0);
  }
  const Http2Answer& fifth = client.call(kService + "ModelInfer", digit(5));
  EXPECT_EQ(fifth.grpc_status(), 8);
  EXPECT_THAT(fifth.fields.at("grpc-message"), HasSubstr("40000"));
  client.reset(streams[0]);
  EXPECT_EQ(digit_of(client.call(kService + "ModelInfer", digit(6))), 6);
  Http2Client other(server_->port());
  EXPECT_EQ(digit_of(other.call(kService + "ModelInfer", digit(7))), 7) << "it has its own room";
}

TEST_F(Http2CallsTest, ALongReasonIsCutOff) {
  start();
  Http2Client client(server_->port());
  inference::ModelMetadataRequest request;
  request.set_name(std::string(60'000, '%'));
  const Http2Answer& answer = client.call(kService + "ModelMetadata", request.SerializeAsString());
  EXPECT_EQ(answer.grpc_status(), 5);
  EXPECT_GT(answer.fields.at("grpc-message").size(), 1000U);
  EXPECT_LE(answer.fields.at("grpc-message").size(), 3000U);
}

TEST_F(Http2CallsTest, TooMuchMetadataIsSaidWhateverComesAfterIt) {
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

TEST_F(Http2CallsTest, WhoTakesNoAnswerLosesIt) {
  options_.limits.write_timeout = std::chrono::milliseconds(20);
  start();
  Http2Client client(server_->port(), 10);
  const Http2Answer& answer = client.call(kService + "ModelStatistics", "");
  EXPECT_EQ(answer.error, 8U);  // CANCEL
  EXPECT_EQ(answer.body.size(), 10U);
  EXPECT_EQ(client.call("/nothing", "").grpc_status(), 12) << "what needs no room is answered";
}

TEST_F(Http2CallsTest, WhoOpensStreamsAndNeverReadsIsCutOff) {
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

TEST_F(Http2CallsTest, WhoGoesAwayIsNotRun) {
  hold();
  start();
  Http2Client client(server_->port());
  std::vector<std::int32_t> streams;
  // Two executors are held, the rest waits.
  for (int i = 0; i < 5; ++i) {
    streams.push_back(client.begin_call(kService + "ModelInfer"));
    client.send_body(streams.back(), framed(digit(i)), true);
    client.flush();
    if (i < 2) {
      begun_.acquire();
    }
  }
  Http2Client other(server_->port());
  const std::int32_t last = other.begin_call(kService + "ModelInfer");
  other.send_body(last, framed(digit(9)), true);
  other.flush();
  client.reset(streams[0]);  // runs
  client.reset(streams[2]);  // waits
  client.reset(streams[3]);
  client.flush();
  EXPECT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0) << "the resets are read";
  go_.release(4);
  EXPECT_EQ(digit_of(client.wait_for(streams[1])), 1);
  EXPECT_EQ(digit_of(client.wait_for(streams[4])), 4);
  EXPECT_EQ(digit_of(other.wait_for(last)), 9);
  begun_.acquire();
  begun_.acquire();
  EXPECT_FALSE(begun_.try_acquire()) << "of those that waited two were run";
  // A whole connection.
  for (int i = 0; i < 2; ++i) {
    other.send_body(other.begin_call(kService + "ModelInfer"), framed(digit(i)), true);
  }
  other.flush();
  begun_.acquire();
  other.abort();
  go_.release(10);
  EXPECT_EQ(digit_of(client.call(kService + "ModelInfer", digit(7))), 7);
}

TEST_F(Http2CallsTest, AStreamHoldsBackWhatIsTooMuchAtOnce) {
  hold();
  options_.max_stream_inferences = 3;
  start();
  Http2Client client(server_->port());
  const std::int32_t stream = client.begin_call(kService + "ModelStreamInfer");
  std::string all;
  constexpr int kCount = 40;
  for (int i = 0; i < kCount; ++i) {
    all += framed(digit(i % 10));
  }
  client.send_body(stream, all, true);
  client.flush();
  EXPECT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0);
  go_.release(2 * kCount);
  const Http2Answer& answer = client.wait_for(stream);
  EXPECT_EQ(answer.grpc_status(), 0);
  ASSERT_EQ(answer.messages().size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) {
    inference::ModelStreamInferResponse response;
    ASSERT_TRUE(response.ParseFromString(answer.messages()[static_cast<std::size_t>(i)]));
    EXPECT_EQ(response.error_message(), "");
    EXPECT_EQ(best(response.infer_response()), i % 10);
  }
}

TEST_F(Http2CallsTest, AStreamThatBreaksOffInAMessageEnds) {
  start();
  Http2Client client(server_->port());
  const std::int32_t stream = client.begin_call(kService + "ModelStreamInfer");
  client.send_body(stream, framed(digit(1)) + framed(digit(2)).substr(0, 100), true);
  EXPECT_EQ(client.wait_for(stream).grpc_status(), 3);
}

TEST_F(Http2CallsTest, AnAnswerWaitsForAClientThatReadsSlowly) {
  start();
  constexpr int kCount = 200;
  Http2Client client(server_->port(), 100);
  const std::int32_t stream = client.begin_call(kService + "ModelStreamInfer");
  std::string all;
  for (int i = 0; i < kCount; ++i) {
    all += framed(digit(i % 10));
  }
  client.send_body(stream, all, true);
  while (!client.answer(stream).closed) {
    client.open_window(stream, 100);
    ASSERT_TRUE(client.step());
  }
  EXPECT_EQ(client.answer(stream).messages().size(), static_cast<std::size_t>(kCount));
  EXPECT_EQ(client.answer(stream).grpc_status(), 0);
}

TEST_F(Http2CallsTest, WhoReadsNoAnswersIsNotAskedForQuestions) {
  start();
  constexpr int kCount = 3000;
  Http2Client client(server_->port(), 100);
  const std::int32_t stream = client.begin_call(kService + "ModelStreamInfer");
  std::string all;
  for (int i = 0; i < kCount; ++i) {
    all += framed(digit(i % 10));
  }
  client.send_body(stream, all, true);
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
  start();
  Http2Client client(server_->port());
  const std::int32_t watch = client.begin_call("/grpc.health.v1.Health/Watch");
  client.send_body(watch, framed(""), true);
  while (client.answer(watch).messages().empty()) {
    ASSERT_TRUE(client.step());
  }
  Client silent(server_->port());
  server_->begin_drain();
  std::thread stopping([this] { server_->stop(std::chrono::minutes(1)); });
  const Http2Answer& answer = client.wait_for(watch);
  EXPECT_EQ(answer.grpc_status(), 14);
  EXPECT_EQ(answer.messages().size(), 2U);
  client.wait_for_end();
  client.abort();
  EXPECT_EQ(silent.receive(), std::nullopt);
  silent.abort();
  stopping.join();
}

TEST_F(Http2CallsTest, FieldsWithoutEndAreNotListenedTo) {
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

TEST_F(Http2CallsTest, StoppingFinishesWhatHasBegun) {
  hold();
  start();
  Http2Client client(server_->port());
  const std::int32_t stream = client.begin_call(kService + "ModelInfer");
  client.send_body(stream, framed(digit(8)), true);
  client.flush();
  begun_.acquire();
  std::thread stopping([this] { server_->stop(std::chrono::minutes(1)); });
  while (!client.was_told_to_go()) {
    ASSERT_TRUE(client.step());
  }
  go_.release();
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
    client.send_body(client.begin_call(kService + "ModelInfer"), framed(digit(i)), true);
    client.flush();
    if (i < 2) {
      begun_.acquire();
    }
  }
  EXPECT_EQ(client.call(kService + "ServerLive", "").grpc_status(), 0);
  std::thread stopping([this] { server_->stop(std::chrono::milliseconds(0)); });
  client.wait_for_end();
  go_.release(10);
  stopping.join();
  server_.reset();
  int also_begun = 0;
  while (begun_.try_acquire()) {
    ++also_begun;
  }
  EXPECT_EQ(also_begun, 0) << "what waited was forgotten";
}

}  // namespace
}  // namespace onnxop::testing_server
