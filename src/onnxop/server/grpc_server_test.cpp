// The gRPC service on a real port, asked with the stubs.

#include "onnxop/server/grpc_server.h"

#include <tuple>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <open_inference.grpc.pb.h>

#include "onnxop/server/grpc_status.h"
#include "onnxop/server/status.h"
#include "onnxop/server/test_client.h"
#include "onnxop/server/test_digits.h"
#include "onnxop/serving/model_traffic.h"

namespace onnxop::testing_server {
namespace {

using inference::GRPCInferenceService;
using inference::ModelInferRequest;
using inference::ModelInferResponse;
using testing::HasSubstr;

class GrpcTest : public testing::Test {
 protected:
  GrpcTest() {
    catalog_.publish(set_of(served("mnist", 3, scorer_)));
    options_.port = 0;
    options_.access_log = false;
  }

  void start() {
    server_ = std::make_unique<GrpcServer>(options_, core_, "1.2.3");
    stub_ = GRPCInferenceService::NewStub(grpc::CreateChannel(
        format("127.0.0.1:{}", server_->port()), grpc::InsecureChannelCredentials()));
  }

  grpc::Status infer(const ModelInferRequest& request, ModelInferResponse& response,
                     std::chrono::milliseconds deadline = std::chrono::minutes(1),
                     const std::string& user = "") {
    grpc::ClientContext context;
    if (!user.empty()) {
      context.AddMetadata("x-user-id", user);
    }
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    return stub_->ModelInfer(&context, request, &response);
  }

  std::shared_ptr<FakeScorer> scorer_ = fake_classifier(28, 28, 1, 10);
  Catalog catalog_;
  SystemClock clock_;
  Scheduler scheduler_{1, clock_};
  ServingCore core_{catalog_, scheduler_};
  GrpcOptions options_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<GRPCInferenceService::Stub> stub_;
};

TEST_F(GrpcTest, Infers) {
  start();
  ModelInferResponse response;
  const auto status = infer(digit(7), response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(best(response), 7U);
  EXPECT_EQ(response.model_version(), "3");
  EXPECT_EQ(response.id(), "7");
  const auto requests = catalog_.snapshot()->find("mnist")->stats->snapshot().requests;
  EXPECT_EQ(requests.at({Protocol::kGrpc, 200}), 1U);
}

TEST_F(GrpcTest, ErrorsHaveTheirCodes) {
  start();
  ModelInferResponse response;
  EXPECT_EQ(infer(digit(1, "nothing"), response).error_code(), grpc::StatusCode::NOT_FOUND);
  auto wrong = digit(1);
  wrong.mutable_inputs(0)->set_name("picture");
  EXPECT_EQ(infer(wrong, response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  scorer_->fail_next(Error(ErrorCode::kInternal, "the secret reason"));
  const auto fault = infer(digit(1), response);
  EXPECT_EQ(fault.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(fault.error_message(), testing::Not(HasSubstr("secret")));
  options_.limits.max_message_bytes = 1000;
  start();
  EXPECT_EQ(infer(digit(1), response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST(StatusOfGrpc, WhoCannotStoreAnythingSaysWhyButNotWhere) {
  const std::vector<std::tuple<StorageFault, GrpcCode, std::string>> expected{
      {StorageFault::kFull, GrpcCode::kResourceExhausted, "is full"},
      {StorageFault::kNotWritable, GrpcCode::kFailedPrecondition, "may not write"}};
  for (const auto& [fault, code, text] : expected) {
    const GrpcStatus status = grpc_status(StorageError(fault, "/srv/store/onnxop.db: no"));
    EXPECT_EQ(status.code, code);
    EXPECT_THAT(status.message, HasSubstr(text));
    EXPECT_THAT(status.message, testing::Not(HasSubstr("/srv")));
  }
}

TEST_F(GrpcTest, AStreamIsAnsweredInOrder) {
  start();
  grpc::ClientContext context;
  const auto stream = stub_->ModelStreamInfer(&context);
  constexpr int kCount = 200;
  std::thread writer([&] {
    for (int i = 0; i < kCount; ++i) {
      auto request = digit(i % 10, i == 50 ? "nothing" : "mnist");
      request.set_id(format("{}", i));
      stream->Write(request);
    }
    stream->WritesDone();
  });
  inference::ModelStreamInferResponse response;
  int got = 0;
  for (; stream->Read(&response); ++got) {
    EXPECT_EQ(response.infer_response().id(), format("{}", got));
    if (got == 50) {
      EXPECT_THAT(response.error_message(), HasSubstr("not served"));
    } else {
      EXPECT_EQ(response.error_message(), "");
      EXPECT_EQ(best(response.infer_response()), static_cast<std::size_t>(got % 10));
    }
  }
  writer.join();
  EXPECT_EQ(got, kCount);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GrpcTest, ATraceIsContinued) {
  start();
  constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
  grpc::ClientContext context;
  context.AddMetadata("traceparent", format("00-{}-b7ad6b7169203331-01", kTrace));
  ModelInferResponse response;
  ASSERT_TRUE(stub_->ModelInfer(&context, digit(1), &response).ok());
  const auto& fields = context.GetServerInitialMetadata();
  const auto returned = fields.find("traceparent");
  ASSERT_NE(returned, fields.end());
  const std::string text(returned->second.data(), returned->second.size());
  EXPECT_THAT(text, HasSubstr(std::string(kTrace)));
  EXPECT_THAT(text, testing::Not(HasSubstr("b7ad6b7169203331")));
}

TEST_F(GrpcTest, AStreamThatIsCutOffIsForgotten) {
  start();
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    const auto stream = stub_->ModelStreamInfer(&context);
    for (int k = 0; k < 10; ++k) {
      stream->Write(digit(k));
    }
    context.TryCancel();
    EXPECT_FALSE(stream->Finish().ok());
  }
  ModelInferResponse response;
  EXPECT_TRUE(infer(digit(3), response).ok());
}

TEST_F(GrpcTest, AStreamWithRefusedRequestsIsCutOff) {
  HeldScorer held(scorer_);
  catalog_.publish(set_of(served("mnist", 1, held.scorer)));
  start();
  const auto stats = catalog_.snapshot()->find("mnist")->stats;
  grpc::ClientContext context;
  const auto stream = stub_->ModelStreamInfer(&context);
  stream->Write(digit(1));
  held.begun.acquire();
  stream->Write(digit(2, "nothing"));
  auto wrong = digit(3);
  wrong.mutable_inputs(0)->set_name("picture");
  stream->Write(wrong);
  while (!stats->snapshot().requests.contains({Protocol::kGrpc, 400})) {
    std::this_thread::yield();
  }
  // The answers of both wait behind the first's.
  context.TryCancel();
  EXPECT_FALSE(stream->Finish().ok());
  held.go.release(10);
  ModelInferResponse response;
  EXPECT_TRUE(infer(digit(3), response).ok());
}

TEST_F(GrpcTest, WaitingCallsObeyDeadlinesAndLimits) {
  HeldScorer held(scorer_);
  catalog_.publish(
      set_of(served("mnist", 1, held.scorer, digit_contract(), {.max_queued = 1, .max_batch = 1})));
  start();
  ModelInferResponse first_response;
  grpc::Status first;
  std::thread running([&] { first = infer(digit(1), first_response); });
  held.begun.acquire();
  ModelInferResponse second_response;
  grpc::Status second;
  std::thread waiting(
      [&] { second = infer(digit(2), second_response, std::chrono::milliseconds(50)); });
  waiting.join();
  EXPECT_EQ(second.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  held.go.release(10);
  running.join();
  EXPECT_TRUE(first.ok());
  EXPECT_EQ(best(first_response), 1U);
}

TEST_F(GrpcTest, DescribesItselfAndItsModels) {
  start();
  grpc::ClientContext ready_context;
  inference::ServerReadyResponse ready;
  ASSERT_TRUE(stub_->ServerReady(&ready_context, {}, &ready).ok());
  EXPECT_TRUE(ready.ready());
  server_->begin_drain();
  grpc::ClientContext draining_context;
  ASSERT_TRUE(stub_->ServerReady(&draining_context, {}, &ready).ok());
  EXPECT_FALSE(ready.ready());
  grpc::ClientContext metadata_context;
  inference::ModelMetadataRequest metadata_request;
  metadata_request.set_name("mnist");
  inference::ModelMetadataResponse metadata;
  ASSERT_TRUE(stub_->ModelMetadata(&metadata_context, metadata_request, &metadata).ok());
  EXPECT_EQ(metadata.inputs(0).shape(0), -1);
  EXPECT_EQ(metadata.outputs(0).datatype(), "FP32");
  grpc::ClientContext load_context;
  inference::RepositoryModelLoadRequest load;
  inference::RepositoryModelLoadResponse loaded;
  EXPECT_EQ(stub_->RepositoryModelLoad(&load_context, load, &loaded).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GrpcTest, SplitsObeyTheMetadata) {
  auto set = std::make_shared<ServingSet>();
  set->add("mnist", served("mnist", 3, scorer_));
  set->add("mnist:3", set->find("mnist"));
  set->add("mnist:4", served("mnist", 4, scorer_));
  set->set_traffic("mnist", std::make_shared<ModelTraffic>(
                                "mnist", TrafficPlan{.split = {{"3", 1}, {"4", 1}}},
                                [](const auto&) { return std::make_shared<TargetCounters>(); }));
  catalog_.publish(set);
  start();
  const auto version = [&](const std::string& user) {
    ModelInferResponse response;
    EXPECT_TRUE(infer(digit(7), response, std::chrono::minutes(1), user).ok());
    return response.model_version();
  };
  std::map<std::string, int> versions;
  for (int i = 0; i < 20; ++i) {
    ++versions[version("")];
  }
  EXPECT_EQ(versions, (std::map<std::string, int>{{"3", 10}, {"4", 10}}));
  versions.clear();
  for (const std::string user : {"ann", "ben", "cem", "dan", "eve", "fay", "gil", "hal"}) {
    const std::string first = version(user);
    ++versions[first];
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(version(user), first) << user;
    }
    // A stream is its caller's, all of it.
    grpc::ClientContext context;
    context.AddMetadata("x-user-id", user);
    const auto stream = stub_->ModelStreamInfer(&context);
    stream->Write(digit(1));
    stream->WritesDone();
    inference::ModelStreamInferResponse answer;
    ASSERT_TRUE(stream->Read(&answer));
    EXPECT_EQ(answer.infer_response().model_version(), first);
    EXPECT_TRUE(stream->Finish().ok());
  }
  EXPECT_EQ(versions.size(), 2U);
  auto exact = digit(7);
  exact.set_model_version("4");
  ModelInferResponse response;
  EXPECT_TRUE(infer(exact, response).ok());
  EXPECT_EQ(response.model_version(), "4");
}

TEST_F(GrpcTest, AnAddressThatIsTakenIsAnError) {
  start();
  GrpcOptions same = options_;
  same.port = server_->port();
  EXPECT_THROW(GrpcServer(same, core_, "1"), Error);
}

}  // namespace
}  // namespace onnxop::testing_server
