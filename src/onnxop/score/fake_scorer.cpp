#include "onnxop/score/fake_scorer.h"

#include <optional>
#include <utility>

namespace onnxop {

FakeScorer::FakeScorer(std::vector<TensorInfo> inputs, std::vector<TensorInfo> outputs,
                       Function function)
    : inputs_(std::move(inputs)), outputs_(std::move(outputs)), function_(std::move(function)) {}

std::vector<NamedTensor> FakeScorer::run(std::span<const NamedTensor> inputs) {
  ++runs_;
  check_inputs(inputs_, inputs);
  std::optional<Error> failure;
  {
    const std::lock_guard lock(mutex_);
    if (!failures_.empty()) {
      failure = failures_.front();
      failures_.pop_front();
    }
  }
  if (failure) {
    throw Error(*failure);
  }
  return function_(inputs);
}

void FakeScorer::fail_next(const Error& error, int times) {
  const std::lock_guard lock(mutex_);
  failures_.insert(failures_.end(), static_cast<std::size_t>(times), error);
}

std::unique_ptr<FakeScorer> fake_classifier(std::int64_t height, std::int64_t width,
                                            std::int64_t channels, std::int64_t classes) {
  const auto classify = [classes](std::span<const NamedTensor> inputs) {
    const Tensor& image = inputs.front().tensor;
    const auto values = image.values<float>();
    const std::int64_t count = image.shape().front();
    const std::size_t stride = count == 0 ? 0 : values.size() / static_cast<std::size_t>(count);
    Tensor result(DType::kFloat32, {count, classes});
    for (std::int64_t i = 0; i < count; ++i) {
      const auto first = static_cast<std::int64_t>(values[static_cast<std::size_t>(i) * stride]);
      result.values<float>()[static_cast<std::size_t>(i * classes + (first % classes + classes) %
                                                                        classes)] = 1.0F;
    }
    std::vector<NamedTensor> outputs;
    outputs.push_back({"probabilities", std::move(result)});
    return outputs;
  };
  return std::make_unique<FakeScorer>(
      std::vector<TensorInfo>{{"image", DType::kFloat32, {-1, height, width, channels}}},
      std::vector<TensorInfo>{{"probabilities", DType::kFloat32, {-1, classes}}}, classify);
}

}  // namespace onnxop
