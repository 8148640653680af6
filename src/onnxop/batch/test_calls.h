#pragma once
// For tests: calls that remember their answer, and a model whose runs wait to be let go.

#include <optional>
#include <semaphore>
#include <stdexcept>
#include <vector>

#include "onnxop/batch/batch_call.h"
#include "onnxop/batch/merge.h"
#include "onnxop/score/fake_scorer.h"

namespace onnxop::testing_batch {

/// Takes x [N, width], gives y [N, 1], the first element of each row. A row whose first element is
/// negative makes its run fail.
inline std::unique_ptr<FakeScorer> first_elements(std::vector<std::int64_t>* runs = nullptr) {
  return std::make_unique<FakeScorer>(
      std::vector<TensorInfo>{{"x", DType::kFloat32, {-1, -1}}},
      std::vector<TensorInfo>{{"y", DType::kFloat32, {-1, 1}}},
      [runs](std::span<const NamedTensor> inputs) {
        const Tensor& x = inputs[0].tensor;
        const std::int64_t rows = x.shape()[0];
        if (runs != nullptr) {
          runs->push_back(rows);
        }
        Tensor y(DType::kFloat32, {rows, 1});
        for (std::int64_t i = 0; i < rows; ++i) {
          const float first = x.values<float>()[static_cast<std::size_t>(i * x.shape()[1])];
          if (first < 0) {
            throw Error(ErrorCode::kInvalidArgument, "a negative row");
          }
          y.values<float>()[static_cast<std::size_t>(i)] = first;
        }
        std::vector<NamedTensor> outputs;
        outputs.push_back({"y", std::move(y)});
        return outputs;
      });
}

class TestCall : public BatchCall {
 public:
  explicit TestCall(float value, std::int64_t rows = 1, std::int64_t width = 2) {
    Tensor x(DType::kFloat32, {rows, width});
    for (float& each : x.values<float>()) {
      each = value;
    }
    inputs_.push_back({"x", std::move(x)});
    waiting.rows = rows;
    waiting.shape_key = shape_key(inputs_);
  }

  std::span<const NamedTensor> inputs() override {
    if (broken) {
      throw Error(ErrorCode::kInvalidArgument, "broken input");
    }
    return inputs_;
  }
  void succeed(std::vector<NamedTensor> outputs) noexcept override {
    outputs_ = std::move(outputs);
  }
  void fail(const Error& failure) noexcept override { error_ = failure; }
  void tell() noexcept override { answered_.release(); }

  /// Waits for the answer.
  void wait() { answered_.acquire(); }
  bool answered() { return answered_.try_acquire(); }
  const std::optional<Error>& error() const { return error_; }
  std::vector<float> values() const {
    const auto y = outputs_.at(0).tensor.values<float>();
    return {y.begin(), y.end()};
  }

  bool broken = false;

 private:
  std::vector<NamedTensor> inputs_;
  std::vector<NamedTensor> outputs_;
  std::optional<Error> error_;
  std::binary_semaphore answered_{0};
};

/// Each run waits until it is let go.
class GatedScorer : public Scorer {
 public:
  explicit GatedScorer(std::shared_ptr<Scorer> inner) : inner_(std::move(inner)) {}
  const std::vector<TensorInfo>& inputs() const override { return inner_->inputs(); }
  const std::vector<TensorInfo>& outputs() const override { return inner_->outputs(); }
  std::vector<NamedTensor> run(std::span<const NamedTensor> inputs) override {
    begun.release();
    gate.acquire();
    return inner_->run(inputs);
  }
  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> gate{0};

 private:
  std::shared_ptr<Scorer> inner_;
};

}  // namespace onnxop::testing_batch
