#pragma once
// A gRPC service with a model of digits on a real port, for tests that ask it by Http2Client.

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <open_inference.pb.h>

#include "onnxop/server/grpc_server.h"
#include "onnxop/server/test_client.h"
#include "onnxop/server/test_digits.h"
#include "onnxop/server/test_http2_client.h"

namespace onnxop::testing_server {

inline const std::string kService = "/inference.GRPCInferenceService/";

inline std::string digit_message(int value, const std::string& model = "mnist") {
  return digit(value, model).SerializeAsString();
}

/// The messages of a stream: `count` digits, 0 to 9 again and again.
inline std::string digit_stream(int count) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    all += framed(digit_message(i % 10));
  }
  return all;
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
    return static_cast<int>(best(response));
  }

  /// What a client begins with: the preface, and settings of which there are none.
  static std::string hello() {
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
  }

  /// The model runs when it is let go.
  void hold() { catalog_.publish(set_of(served("mnist", 1, held_.scorer))); }

  std::shared_ptr<FakeScorer> scorer_ = fake_classifier(28, 28, 1, 10);
  HeldScorer held_{scorer_};
  Catalog catalog_;
  SystemClock clock_;
  Scheduler scheduler_{2, clock_};
  ServingCore core_{catalog_, scheduler_};
  GrpcOptions options_;
  std::unique_ptr<GrpcServer> server_;
};

}  // namespace onnxop::testing_server
