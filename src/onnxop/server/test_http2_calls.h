#pragma once
// A gRPC service with a model of digits on a real port, for tests that ask it by Http2Client.

#include <algorithm>
#include <cstring>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <open_inference.pb.h>

#include "onnxop/server/grpc_server.h"
#include "onnxop/server/test_client.h"
#include "onnxop/server/test_http2_client.h"

namespace onnxop::testing_server {
inline const std::string kService = "/inference.GRPCInferenceService/";

inline std::string digit_message(int value, const std::string& model = "mnist") {
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

inline int best_digit(const inference::ModelInferResponse& response) {
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
    return best_digit(response);
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

}  // namespace onnxop::testing_server
