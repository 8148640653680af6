// Every operator's forward pass against ONNX Runtime, on the same graph written as a model.

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "onnxop/nn/network.h"
#include "onnxop/nn/test_cases.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/ort_scorer.h"

namespace onnxop {
namespace {

using nn_test::Case;
using nn_test::random_values;

class ForwardOrt : public testing::TestWithParam<Case> {
 protected:
  static std::vector<float> by_onnx_runtime(const Graph& graph, const Network& network,
                                            const std::vector<float>& inputs, std::int64_t n) {
    const auto path = std::filesystem::path(testing::TempDir()) /
                      ("nn_forward_" + std::to_string(getpid()) + ".onnx");
    Model model;
    model.graph = graph.clone();
    const auto bytes = serialize_model(model);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    const auto scorer = load_ort_scorer(path);
    std::filesystem::remove(path);
    Shape shape{n};
    for (std::size_t i = 1; i < graph.inputs[0].shape.size(); ++i) {
      shape.push_back(graph.inputs[0].shape[i].size);
    }
    std::vector<NamedTensor> named;
    named.push_back({graph.inputs[0].name, Tensor::of<float>(shape, inputs)});
    const auto outputs = scorer->run(named);
    const auto values = outputs.at(0).tensor.values<float>();
    EXPECT_EQ(static_cast<std::int64_t>(values.size()), n * network.output_size());
    return {values.begin(), values.end()};
  }
};

TEST_P(ForwardOrt, Agrees) {
  const Graph graph = GetParam().graph();
  ThreadPool pool(2);
  Network network(graph, {.batch = 4, .piece = 2, .loss = GetParam().loss}, pool);
  constexpr std::int64_t kSamples = 7;  // the last piece is not full
  const auto inputs = random_values(kSamples * network.input_size(), -1, 1, 3);
  std::vector<float> outputs(static_cast<std::size_t>(kSamples * network.output_size()));
  network.predict(inputs, kSamples, outputs);
  const auto expected = by_onnx_runtime(graph, network, inputs, kSamples);
  // Sums of some hundred products in another order: a few units of the largest value's last place.
  float largest = 0;
  for (const float value : expected) {
    largest = std::max(largest, std::abs(value));
  }
  ASSERT_EQ(outputs.size(), expected.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_NEAR(outputs[i], expected[i], 2e-6 + 5e-6 * largest) << "output " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, ForwardOrt, testing::ValuesIn(nn_test::cases()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace onnxop
