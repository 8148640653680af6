#pragma once
// Runs the calls of one batch and answers each.

#include <span>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/batch/merge.h"
#include "onnxop/batch/model_queue.h"

namespace onnxop {

/// One thread's: it keeps the memory that batches are joined in.
class BatchRunner {
 public:
  explicit BatchRunner(const Clock& clock) : clock_(clock) {}

  /// Each call is answered when it returns. A call whose inputs() throws fails alone; where the
  /// run of several fails, each is run by itself. Returns the seconds that it took.
  double run(ModelQueue& queue, std::span<BatchCall* const> calls) noexcept;

 private:
  struct Ready {
    BatchCall* call;
    std::span<const NamedTensor> inputs;
  };

  void gather(std::span<BatchCall* const> calls);
  bool run_joined(ModelQueue& queue);
  void run_single(ModelQueue& queue, const Ready& ready);
  std::vector<NamedTensor> timed_run(ModelQueue& queue, std::span<const NamedTensor> inputs,
                                     std::span<const Ready> ready, std::int64_t rows);

  const Clock& clock_;
  MergeBuffer buffer_;
  std::vector<Ready> ready_;
};

}  // namespace onnxop
