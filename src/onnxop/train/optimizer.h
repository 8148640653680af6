#pragma once
// Optimizers on flat float32 buffers, with Keras 3's formulas (where epsilon stands, bias
// correction, decoupled decay): SGD with momentum and Nesterov, RMSprop, Adam, AdamW, Adadelta.
// Elementwise, in fixed pieces shared among the pool's threads, so the result does not depend on
// their number.

#include <cstdint>
#include <span>
#include <vector>

#include "onnxop/base/thread_pool.h"
#include "onnxop/train/spec.h"

namespace onnxop {

/// One thread at a time. State starts at zero.
class Optimizer {
 public:
  /// For `size` parameters; `pool` must outlive the optimizer.
  Optimizer(const OptimizerSpec& spec, std::int64_t size, ThreadPool& pool);

  /// Changes the parameters by one step. Both spans hold `size` elements; Error{kInvalidArgument}
  /// otherwise.
  void step(std::span<float> parameters, std::span<const float> gradients, double learning_rate);

  /// For checkpoints: the moments, slot after slot, and the number of steps taken.
  std::span<const float> state() const { return state_; }
  std::int64_t steps() const { return steps_; }
  /// Throws Error{kInvalidArgument} for a state of another size.
  void restore(std::span<const float> state, std::int64_t steps);

 private:
  float* slot(int index, std::size_t from) {
    return state_.data() + static_cast<std::size_t>(index) * size_ + from;
  }
  void step_range(float* parameters, const float* gradients, std::size_t from, std::size_t n,
                  double learning_rate);

  OptimizerSpec spec_;
  std::size_t size_;
  ThreadPool& pool_;
  std::vector<float> state_;
  std::int64_t steps_ = 0;
};

}  // namespace onnxop
