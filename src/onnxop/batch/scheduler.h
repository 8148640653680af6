#pragma once
// The executors: a fixed number of threads that run what waits for all models, fairly. An idle
// executor takes what is there at once; what comes while all are busy becomes the next batches.

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/batch/model_queue.h"

namespace onnxop {

enum class Submitted : std::uint8_t { kAccepted, kFull, kStopped };

/// Safe from any thread, except that a call must not stop or destroy its own Scheduler.
class Scheduler {
 public:
  /// `executors` is at least 1, else Error{kInvalidArgument}. `clock` outlives the scheduler.
  Scheduler(int executors, const Clock& clock);
  /// As stop().
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Accepted: the call will be answered. Otherwise it was not touched.
  [[nodiscard]] Submitted submit(const std::shared_ptr<ModelQueue>& queue, BatchCall& call);

  /// Runs the call on this thread and returns true when it is answered, if an executor is idle and
  /// nothing waits; otherwise the call was not touched. Saves two changes of threads.
  [[nodiscard]] bool run_here(const std::shared_ptr<ModelQueue>& queue, BatchCall& call);

  /// True: the call was waiting, is out of the queue and will not be answered. False: it is being
  /// run, or was answered.
  bool cancel(const std::shared_ptr<ModelQueue>& queue, BatchCall& call);

  /// Waits for what runs; what waits fails with Error{kUnavailable}.
  void stop();

  int executors() const { return executors_; }
  int busy() const;             // executors that run something
  std::size_t waiting() const;  // calls, of all models

 private:
  void work();
  std::shared_ptr<ModelQueue> take_batch(std::vector<BatchCall*>& batch,
                                         std::vector<BatchCall*>& expired);
  void end_run(ModelQueue& queue, double seconds);
  void forget_if_empty(const std::shared_ptr<ModelQueue>& queue);

  const int executors_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::shared_ptr<ModelQueue>> active_;  // with waiting calls
  std::vector<WaitingModel> waiting_models_;         // kept to spare its memory
  std::vector<WaitingCall> waiting_calls_;           // likewise
  std::vector<CallChoice> choices_;                  // likewise
  std::size_t waiting_count_ = 0;
  int busy_ = 0;
  double least_used_ = 0;  // where a model begins that had nothing to do
  bool stopped_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace onnxop
