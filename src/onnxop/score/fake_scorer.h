#pragma once
// A Scorer without a model, for tests: a function computes its outputs, and the next runs can be
// made to fail. Any number of threads may run it at once; the function must allow that.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "onnxop/base/error.h"
#include "onnxop/score/scorer.h"

namespace onnxop {

class FakeScorer : public Scorer {
 public:
  using Function = std::function<std::vector<NamedTensor>(std::span<const NamedTensor>)>;

  FakeScorer(std::vector<TensorInfo> inputs, std::vector<TensorInfo> outputs, Function function);

  const std::vector<TensorInfo>& inputs() const override { return inputs_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }

  /// Checks the inputs as a real one does, throws the next planned failure if there is one, and
  /// calls the function.
  std::vector<NamedTensor> run(std::span<const NamedTensor> inputs) override;

  /// The next `times` runs throw `error`, after those planned before.
  void fail_next(const Error& error, int times = 1);

  /// How often run() was called, failed ones included.
  std::int64_t runs() const { return runs_; }

 private:
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
  Function function_;
  std::mutex mutex_;
  std::deque<Error> failures_;
  std::atomic<std::int64_t> runs_{0};
};

/// An image classifier: image float32 [N, height, width, channels] -> probabilities float32 [N,
/// classes], which are 1 for class (first element of the sample, truncated) modulo classes and 0
/// elsewhere.
std::unique_ptr<FakeScorer> fake_classifier(std::int64_t height, std::int64_t width,
                                            std::int64_t channels, std::int64_t classes);

}  // namespace onnxop
