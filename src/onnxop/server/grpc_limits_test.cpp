// Each limit of gRPC exceeded, on a real port.

#include "onnxop/server/grpc_limits.h"

#include <future>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <open_inference.grpc.pb.h>

#include "onnxop/server/grpc_server.h"
#include "onnxop/server/test_client.h"
#include "onnxop/server/test_digits.h"

namespace onnxop::testing_server {
namespace {

using inference::GRPCInferenceService;
using std::chrono::milliseconds;
using testing::HasSubstr;
constexpr milliseconds kSoon{50};
constexpr milliseconds kNever{1'000'000'000};

class GrpcLimitsTest : public testing::Test {
 protected:
  GrpcLimitsTest() {
    options_.port = 0;
    options_.access_log = false;
    catalog_.publish(set_of(served("mnist", 3, scorer_)));
  }

  void start() {
    server_ = std::make_unique<GrpcServer>(options_, core_, "1");
    connect();
  }

  /// With a connection of its own, from now on.
  void connect() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 10);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel(format("127.0.0.1:{}", server_->port()),
                                         grpc::InsecureChannelCredentials(), arguments);
    stub_ = GRPCInferenceService::NewStub(channel_);
  }

  grpc::Status ask(grpc::ClientContext& context) {
    inference::ServerLiveResponse response;
    return stub_->ServerLive(&context, {}, &response);
  }
  grpc::Status ask() {
    grpc::ClientContext context;
    return ask(context);
  }

  grpc::Status infer(grpc::ClientContext& context) {
    inference::ModelInferResponse response;
    return stub_->ModelInfer(&context, digit(0), &response);
  }

  /// The server ends the client's connection, which was in use, and takes the next.
  void expect_connection_ends() {
    ASSERT_TRUE(ask().ok());
    EXPECT_TRUE(channel_->WaitForStateChange(
        GRPC_CHANNEL_READY, std::chrono::system_clock::now() + std::chrono::minutes(1)));
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    EXPECT_TRUE(ask(context).ok());
  }

  /// What a client of HTTP/2 begins with: the preface, and settings of which there are none.
  static std::string hello() {
    return std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + frame(4, "");
  }
  static std::string frame(char type, const std::string& content) {
    std::string bytes{0, 0, static_cast<char>(content.size()), type, 0, 0, 0, 0, 0};
    return bytes + content;
  }

  std::shared_ptr<FakeScorer> scorer_ = fake_classifier(28, 28, 1, 10);
  Catalog catalog_;
  SystemClock clock_;
  Scheduler scheduler_{2, clock_};
  ServingCore core_{catalog_, scheduler_};
  GrpcOptions options_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<GRPCInferenceService::Stub> stub_;
};

TEST_F(GrpcLimitsTest, Connections) {
  options_.limits.max_connections = 2;
  options_.limits.handshake_timeout = kNever;
  start();
  EXPECT_EQ(server_->connections(), 0);
  std::optional<Client> first(server_->port());
  const Client second(server_->port());
  EXPECT_EQ(Client(server_->port()).receive(), std::nullopt);
  EXPECT_EQ(server_->connections(), 2) << "without the one that was refused";
  first.reset();
  grpc::ClientContext context;
  context.set_wait_for_ready(true);  // until the server has seen the first one go
  EXPECT_TRUE(ask(context).ok());
}

TEST_F(GrpcLimitsTest, CallsOfAConnection) {
  HeldScorer held(scorer_);
  catalog_.publish(set_of(served("mnist", 1, held.scorer)));
  options_.limits.max_calls = 1;
  start();
  auto first = std::async(std::launch::async, [&] {
    grpc::ClientContext context;
    return infer(context);
  });
  held.begun.acquire();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kSoon);
  EXPECT_EQ(infer(context).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_FALSE(held.begun.try_acquire())
      << "an executor was idle, but the call was not let through";
  held.go.release(2);
  EXPECT_TRUE(first.get().ok());
}

TEST_F(GrpcLimitsTest, Metadata) {
  options_.limits.max_metadata_bytes = 4000;
  options_.limits.max_metadata_fields = 20;
  start();
  grpc::ClientContext good;
  good.AddMetadata("x-long", std::string(1000, 'x'));
  EXPECT_TRUE(ask(good).ok());
  grpc::ClientContext large;
  large.AddMetadata("x-long", std::string(5000, 'x'));
  EXPECT_EQ(ask(large).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  connect();  // the server may be closing the connection of the call before
  grpc::ClientContext many;
  for (int i = 0; i < 21; ++i) {
    many.AddMetadata(format("x-{}", i), "");
  }
  const grpc::Status status = ask(many);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("20"));
}

TEST_F(GrpcLimitsTest, TimeOfTheHandshake) {
  options_.limits.handshake_timeout = kSoon;
  start();
  Client silent(server_->port());
  EXPECT_EQ(silent.receive(), std::nullopt);
  Client slow(server_->port());
  slow.send(hello().substr(0, 10));
  EXPECT_EQ(slow.receive(), std::nullopt);
}

TEST_F(GrpcLimitsTest, IdleTime) {
  options_.limits.idle_timeout = kSoon;
  start();
  expect_connection_ends();
}

TEST_F(GrpcLimitsTest, AgeOfAConnection) {
  options_.limits.max_age = kSoon;
  start();
  expect_connection_ends();
}

TEST_F(GrpcLimitsTest, TimeOfAClientThatIsGone) {
  options_.limits.keepalive = kSoon;
  options_.limits.idle_timeout = kNever;
  options_.limits.max_age = milliseconds(0);
  start();
  Client mute(server_->port());  // it does not answer pings
  mute.send(hello());
  EXPECT_EQ(mute.receive(), std::nullopt);
}

TEST_F(GrpcLimitsTest, Pings) {
  options_.limits.min_ping = kNever;
  options_.limits.keepalive = kNever;
  options_.limits.idle_timeout = kNever;
  options_.limits.max_age = milliseconds(0);
  start();
  Client noisy(server_->port());
  std::string pings = hello();
  for (int i = 0; i < 10; ++i) {
    pings += frame(6, "12345678");
  }
  noisy.send(pings);
  EXPECT_EQ(noisy.receive(), std::nullopt);
}

TEST_F(GrpcLimitsTest, MessagesBeforeAndAfterTheyAreUnpacked) {
  options_.limits.max_message_bytes = 4000;
  start();
  for (const auto algorithm : {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    EXPECT_TRUE(infer(context).ok());
  }
  options_.limits.max_message_bytes = 2000;  // more than a compressed one has
  start();
  for (const auto algorithm : {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    const grpc::Status status = infer(context);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("2000"));
  }
}

}  // namespace
}  // namespace onnxop::testing_server
