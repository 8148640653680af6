// What the gate lets through, asked over gRPC: every method of the service, by its descriptor.

#include "onnxop/server/grpc_access.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <open_inference.grpc.pb.h>

#include "onnxop/server/test_client.h"
#include "onnxop/server/test_gate.h"

namespace onnxop::testing_server {
namespace {

using testing::HasSubstr;

std::vector<std::string> method_names() {
  const auto* const service =
      inference::ModelInferRequest::descriptor()->file()->FindServiceByName("GRPCInferenceService");
  std::vector<std::string> names;
  for (int i = 0; i < service->method_count(); ++i) {
    names.push_back(service->method(i)->name());
  }
  return names;
}

class GrpcAccessTest : public testing::Test {
 protected:
  GrpcAccessTest() { catalog_.publish(set_of(served("mnist", 3, fake_classifier(28, 28, 1, 10)))); }

  void start(std::shared_ptr<AccessGate> gate) {
    options_.port = 0;
    options_.access_log = false;
    options_.gate = std::move(gate);
    server_ = std::make_unique<GrpcServer>(options_, core_, "1");
    channel_ = grpc::CreateChannel(format("127.0.0.1:{}", server_->port()),
                                   grpc::InsecureChannelCredentials());
  }

  /// The status of a call with an empty message.
  grpc::Status call(const std::string& method, const std::string& secret = "") const {
    return call_path("/inference.GRPCInferenceService/" + method, secret);
  }

  grpc::Status call_path(const std::string& path, const std::string& secret) const {
    grpc::ClientContext context;
    if (!secret.empty()) {
      context.AddMetadata("authorization", "Bearer " + secret);
    }
    grpc::GenericStub stub(channel_);
    grpc::CompletionQueue queue;
    const auto stream = stub.PrepareCall(&context, path, &queue);
    const auto step = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      queue.Next(&tag, &ok);
      return ok;
    };
    stream->StartCall(nullptr);
    if (step()) {
      const grpc::Slice empty;
      stream->WriteLast(grpc::ByteBuffer(&empty, 1), {}, nullptr);
      step();
      grpc::ByteBuffer answer;
      do {
        stream->Read(&answer, nullptr);
      } while (step());
    }
    grpc::Status status;
    stream->Finish(&status, nullptr);
    step();
    return status;
  }

  Catalog catalog_;
  SystemClock clock_;
  FakeClock fake_clock_;
  Scheduler scheduler_{1, clock_};
  ServingCore core_{catalog_, scheduler_};
  TestTokens tokens_;
  GrpcOptions options_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(GrpcAccessTest, EveryMethodButHealthAsksForAToken) {
  start(tokens_.gate());
  for (const std::string& method : method_names()) {
    const Permission permission = grpc_permission(method);
    EXPECT_NE(permission, Permission::kUnset) << method;
    const bool open = method == "ServerLive" || method == "ServerReady";
    EXPECT_EQ(permission == Permission::kOpen, open) << method;
    for (const std::string& secret : {std::string(), std::string("wrong")}) {
      const auto code = call(method, secret).error_code();
      EXPECT_EQ(code, open ? grpc::StatusCode::OK : grpc::StatusCode::UNAUTHENTICATED) << method;
    }
    for (const auto& [role, secret] :
         {std::pair("infer", tokens_.infer), std::pair("read", tokens_.read),
          std::pair("manage", tokens_.manage)}) {
      const auto code = call(method, secret).error_code();
      EXPECT_NE(code, grpc::StatusCode::UNAUTHENTICATED) << method;
      EXPECT_EQ(code != grpc::StatusCode::PERMISSION_DENIED, permits(parse_roles(role), permission))
          << method << " " << role;
    }
  }
  EXPECT_EQ(options_.gate->refused(Protocol::kGrpc, Refusal::kUnauthenticated), 20U);
}

TEST_F(GrpcAccessTest, HealthIsOpenAndReflectionADescription) {
  start(tokens_.gate());
  EXPECT_TRUE(call_path("/grpc.health.v1.Health/Check", "").ok());
  for (const std::string version : {"v1", "v1alpha"}) {
    const std::string path =
        format("/grpc.reflection.{}.ServerReflection/ServerReflectionInfo", version);
    EXPECT_EQ(call_path(path, "").error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_TRUE(call_path(path, tokens_.infer).ok());
  }
}

TEST_F(GrpcAccessTest, NothingIsLoadedWhereTheManagementIsApart) {
  options_.management_apart = true;
  for (const bool gated : {false, true}) {
    start(gated ? tokens_.gate() : nullptr);
    for (const std::string method : {"RepositoryModelLoad", "RepositoryModelUnload"}) {
      const grpc::Status status = call(method, tokens_.manage);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
      EXPECT_THAT(status.error_message(), HasSubstr("--manage-port"));
    }
    EXPECT_TRUE(call("RepositoryIndex", tokens_.manage).ok());
  }
}

TEST_F(GrpcAccessTest, TheRateLimitHoldsForCallsAndForMessagesOfAStream) {
  start(std::make_shared<AccessGate>(
      AccessOptions{.rate_limit = RateLimit{.per_second = 0.1, .burst = 2}}, fake_clock_));
  EXPECT_TRUE(call("ServerMetadata").ok());
  EXPECT_TRUE(call("ServerMetadata").ok());
  const grpc::Status refused = call("ServerMetadata");
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("10 s"));
  EXPECT_TRUE(call("ServerLive").ok());
  EXPECT_TRUE(call_path("/grpc.health.v1.Health/Check", "").ok());
  fake_clock_.advance(std::chrono::seconds(20));

  const auto stub = inference::GRPCInferenceService::NewStub(channel_);
  grpc::ClientContext context;
  const auto stream = stub->ModelStreamInfer(&context);
  inference::ModelInferRequest request;
  request.set_model_name("nothing");
  inference::ModelStreamInferResponse response;
  std::vector<std::string> errors;
  for (int i = 0; i < 3; ++i) {
    stream->Write(request);
    ASSERT_TRUE(stream->Read(&response));
    errors.push_back(response.error_message());
  }
  EXPECT_THAT(errors[0], HasSubstr("not served"));
  EXPECT_THAT(errors[1], HasSubstr("not served"));
  EXPECT_THAT(errors[2], HasSubstr("too many requests"));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(options_.gate->refused(Protocol::kGrpc, Refusal::kRateLimited), 2U);
}

}  // namespace
}  // namespace onnxop::testing_server
