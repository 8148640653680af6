#include "onnxop/serving/shadow_runner.h"

#include <utility>

#include "onnxop/base/thread_priority.h"

namespace onnxop {
namespace {

constexpr int kLowestPriority = 19;

}  // namespace

ShadowRunner::ShadowRunner(const ShadowLimits& limits)
    : limits_(limits), thread_([this] { work(); }) {}

ShadowRunner::~ShadowRunner() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool ShadowRunner::reserve(std::size_t bytes) {
  const std::size_t jobs = reserved_jobs_.fetch_add(1, std::memory_order_relaxed);
  const std::size_t held = reserved_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (jobs < limits_.max_queued && held <= limits_.max_bytes && bytes <= limits_.max_bytes - held) {
    return true;
  }
  give_back(bytes);
  return false;
}

void ShadowRunner::give_back(std::size_t bytes) {
  reserved_jobs_.fetch_sub(1, std::memory_order_relaxed);
  reserved_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

void ShadowRunner::run(std::size_t bytes, std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({bytes, std::move(job)});
  }
  wake_.notify_one();
}

void ShadowRunner::work() {
  lower_thread_priority(kLowestPriority);
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
      if (stopped_) {
        return;
      }
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    give_back(job.bytes);
    job.work();
  }
}

}  // namespace onnxop
