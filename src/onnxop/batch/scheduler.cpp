#include "onnxop/batch/scheduler.h"

#include <algorithm>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/batch/batch_runner.h"

namespace onnxop {

Scheduler::Scheduler(int executors, const Clock& clock) : executors_(executors), clock_(clock) {
  if (executors < 1) {
    onnxop::fail(ErrorCode::kInvalidArgument, "executors: got {}, expected at least 1", executors);
  }
  for (int i = 0; i < executors; ++i) {
    workers_.emplace_back([this] { work(); });
  }
}

Scheduler::~Scheduler() {
  stop();
}

Submitted Scheduler::submit(const std::shared_ptr<ModelQueue>& queue, BatchCall& call) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      return Submitted::kStopped;
    }
    CallList& calls = queue->calls_;
    if (calls.size() >= static_cast<std::size_t>(queue->options_.max_queued)) {
      return Submitted::kFull;
    }
    if (calls.empty()) {
      // Having been idle gives no claim to more than the others get from now on.
      queue->used_seconds_ = std::max(queue->used_seconds_, least_used_);
      active_.push_back(queue);
    }
    call.times = {};
    call.times.queued = clock_.steady();
    calls.push_back(call);
    queue->waiting_count_.store(calls.size(), std::memory_order_relaxed);
    ++waiting_count_;
    wake = busy_ < executors_;
  }
  if (wake) {
    wake_.notify_one();
  }
  return Submitted::kAccepted;
}

bool Scheduler::run_here(const std::shared_ptr<ModelQueue>& queue, BatchCall& call) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || busy_ >= executors_ || !active_.empty()) {
      return false;
    }
    ++busy_;
  }
  call.times = {};
  call.times.queued = clock_.steady();
  // The queue may be the call's to release.
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
  const std::shared_ptr<ModelQueue> held = queue;
  BatchRunner runner(clock_);
  BatchCall* const calls[] = {&call};
  const double seconds = runner.run(*held, calls);
  end_run(*held, seconds);
  return true;
}

bool Scheduler::cancel(const std::shared_ptr<ModelQueue>& queue, BatchCall& call) {
  const std::lock_guard lock(mutex_);
  if (!CallList::holds(call)) {
    return false;
  }
  queue->calls_.remove(call);
  queue->waiting_count_.store(queue->calls_.size(), std::memory_order_relaxed);
  --waiting_count_;
  forget_if_empty(queue);
  return true;
}

void Scheduler::stop() {
  std::vector<std::thread> workers;
  std::vector<BatchCall*> left;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& queue : active_) {
      while (BatchCall* call = queue->calls_.front()) {
        queue->calls_.remove(*call);
        left.push_back(call);
      }
      queue->waiting_count_.store(0, std::memory_order_relaxed);
    }
    waiting_count_ = 0;
    workers.swap(workers_);
  }
  wake_.notify_all();
  for (BatchCall* call : left) {
    call->fail_and_tell(Error(ErrorCode::kUnavailable, "the server is shutting down"));
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  const std::lock_guard lock(mutex_);
  active_.clear();
}

int Scheduler::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

std::size_t Scheduler::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_count_;
}

void Scheduler::work() {
  BatchRunner runner(clock_);
  std::vector<BatchCall*> batch;
  std::vector<BatchCall*> expired;
  while (true) {
    std::shared_ptr<ModelQueue> queue;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopped_ || (!active_.empty() && busy_ < executors_); });
      if (stopped_) {
        return;
      }
      queue = take_batch(batch, expired);
      ++busy_;
    }
    for (BatchCall* call : expired) {
      call->fail_and_tell(Error(
          ErrorCode::kDeadlineExceeded,
          format("the deadline passed while the request waited for {}", queue->options_.name)));
    }
    const double seconds = batch.empty() ? 0 : runner.run(*queue, batch);
    end_run(*queue, seconds);
  }
}

/// The next batch of the model whose turn it is; the lock is held.
std::shared_ptr<ModelQueue> Scheduler::take_batch(std::vector<BatchCall*>& batch,
                                                  std::vector<BatchCall*>& expired) {
  batch.clear();
  expired.clear();
  waiting_models_.clear();
  for (const auto& queue : active_) {
    waiting_models_.push_back({queue->used_seconds_});
  }
  std::shared_ptr<ModelQueue> queue = active_[choose_model(waiting_models_)];
  least_used_ = std::max(least_used_, queue->used_seconds_);

  waiting_calls_.clear();
  for (BatchCall* call = queue->calls_.front(); call != nullptr; call = CallList::after(*call)) {
    waiting_calls_.push_back(call->waiting);
  }
  choices_.resize(waiting_calls_.size());
  const std::int64_t most = rows_for_one(queue->max_rows(), waiting_calls_, executors_ - busy_);
  choose_batch(waiting_calls_, most, clock_.steady(), choices_);
  BatchCall* call = queue->calls_.front();
  for (const CallChoice choice : choices_) {
    BatchCall* const next = CallList::after(*call);
    if (choice != CallChoice::kLeave) {
      queue->calls_.remove(*call);
      (choice == CallChoice::kTake ? batch : expired).push_back(call);
    }
    call = next;
  }
  waiting_count_ -= batch.size() + expired.size();
  queue->waiting_count_.store(queue->calls_.size(), std::memory_order_relaxed);
  forget_if_empty(queue);
  return queue;
}

void Scheduler::end_run(ModelQueue& queue, double seconds) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    queue.used_seconds_ += seconds;
    --busy_;
    wake = !active_.empty();
  }
  if (wake) {
    wake_.notify_one();
  }
}

void Scheduler::forget_if_empty(const std::shared_ptr<ModelQueue>& queue) {
  if (queue->calls_.empty()) {
    active_.erase(std::remove(active_.begin(), active_.end(), queue), active_.end());
  }
}

}  // namespace onnxop
