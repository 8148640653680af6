#pragma once
// For the tests of gRPC: requests for digits, their answers, and a model that runs when it is let
// go.

#include <algorithm>
#include <cstring>
#include <memory>
#include <semaphore>
#include <span>
#include <string>
#include <vector>

#include <open_inference.pb.h>

#include "onnxop/base/format.h"
#include "onnxop/score/fake_scorer.h"

namespace onnxop::testing_server {

/// An image of fake_classifier(28, 28, 1, 10), whose answer is `value`; its id too.
inline inference::ModelInferRequest digit(int value, const std::string& model = "mnist") {
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
  return request;
}

/// What the model says.
inline std::size_t best(const inference::ModelInferResponse& response) {
  std::vector<float> values(10);
  const std::string& raw = response.raw_output_contents(0);
  std::memcpy(values.data(), raw.data(), std::min(raw.size(), values.size() * sizeof(float)));
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// Runs when it is let go.
struct HeldScorer {
  explicit HeldScorer(const std::shared_ptr<FakeScorer>& fake)
      : scorer(std::make_shared<FakeScorer>(fake->inputs(), fake->outputs(),
                                            [this, fake](std::span<const NamedTensor> inputs) {
                                              begun.release();
                                              go.acquire();
                                              return fake->run(inputs);
                                            })) {}

  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> go{0};
  std::shared_ptr<FakeScorer> scorer;
};

}  // namespace onnxop::testing_server
