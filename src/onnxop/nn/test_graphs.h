#pragma once
// Small graphs for this room's tests.

#include <string>
#include <utility>
#include <vector>

#include "onnxop/base/random.h"
#include "onnxop/onnx/graph.h"

namespace onnxop::nn_test {

/// Adds nodes one behind the other, with random weights.
class ChainBuilder {
 public:
  /// `sample`: without the batch dimension.
  explicit ChainBuilder(const Shape& sample, std::uint64_t seed = 1) : random_(seed, 0) {
    GraphValue input;
    input.name = "x";
    input.shape.push_back({-1, "N"});
    for (const auto size : sample) {
      input.shape.push_back({size, ""});
    }
    graph_.name = "chain";
    graph_.inputs.push_back(input);
    value_ = "x";
  }

  std::string weight(const Shape& shape, float low, float high) {
    Tensor tensor(DType::kFloat32, shape);
    for (float& value : tensor.values<float>()) {
      value = random_.uniform(low, high);
    }
    const std::string name = "w" + std::to_string(graph_.initializers.size());
    graph_.initializers.push_back({name, std::move(tensor), ""});
    return name;
  }

  std::string constant(const Shape& shape, const std::vector<float>& values) {
    const std::string name = "c" + std::to_string(graph_.initializers.size());
    graph_.initializers.push_back({name, Tensor::of<float>(shape, values), ""});
    return name;
  }

  ChainBuilder& node(const std::string& op, std::vector<std::string> more_inputs = {},
                     std::map<std::string, AttributeValue> attributes = {}) {
    GraphNode made;
    made.op_type = op;
    made.name = op + "_" + std::to_string(graph_.nodes.size());
    made.inputs = {value_};
    made.inputs.insert(made.inputs.end(), more_inputs.begin(), more_inputs.end());
    made.outputs = {"v" + std::to_string(graph_.nodes.size())};
    made.attributes = std::move(attributes);
    value_ = made.outputs[0];
    graph_.nodes.push_back(std::move(made));
    return *this;
  }

  ChainBuilder& conv(std::int64_t in, std::int64_t out, std::vector<std::int64_t> kernel,
                     std::vector<std::int64_t> strides = {1, 1},
                     std::vector<std::int64_t> pads = {0, 0, 0, 0}) {
    const auto w = weight({out, in, kernel[0], kernel[1]}, -0.5F, 0.5F);
    const auto b = weight({out}, -0.2F, 0.2F);
    return node("Conv", {w, b}, {{"strides", strides}, {"pads", pads}, {"kernel_shape", kernel}});
  }

  ChainBuilder& gemm(std::int64_t in, std::int64_t out) {
    const auto w = weight({out, in}, -0.5F, 0.5F);
    const auto b = weight({out}, -0.2F, 0.2F);
    return node("Gemm", {w, b}, {{"transB", std::int64_t{1}}});
  }

  ChainBuilder& batch_norm(std::int64_t channels) {
    const auto scale = weight({channels}, 0.5F, 1.5F);
    const auto bias = weight({channels}, -0.5F, 0.5F);
    const auto mean = weight({channels}, -0.1F, 0.1F);
    const auto variance = weight({channels}, 0.5F, 1.5F);
    return node("BatchNormalization", {scale, bias, mean, variance},
                {{"epsilon", 1e-3F}, {"momentum", 0.9F}});
  }

  /// `outputs`: of one sample.
  Graph done(const Shape& outputs) {
    GraphValue output;
    output.name = value_;
    output.shape.push_back({-1, "N"});
    for (const auto size : outputs) {
      output.shape.push_back({size, ""});
    }
    graph_.outputs.push_back(output);
    return std::move(graph_);
  }

 private:
  Graph graph_;
  Random random_;
  std::string value_;
};

inline std::vector<float> random_values(std::int64_t n, float low, float high, std::uint64_t seed) {
  Random random(seed, 7);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& value : values) {
    value = random.uniform(low, high);
  }
  return values;
}

}  // namespace onnxop::nn_test
