#include "onnxop/serving/executors.h"

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

int at_least_one(int value, std::string_view what) {
  if (value < 1) {
    fail(ErrorCode::kInvalidArgument, "{}: got {}, expected at least 1", what, value);
  }
  return value;
}

}  // namespace

Executors::Executors(int threads, int max_queued)
    : thread_count_(at_least_one(threads, "executors")),
      ring_(static_cast<std::size_t>(at_least_one(max_queued, "executor queue"))) {
  for (int i = 0; i < threads; ++i) {
    workers_.emplace_back([this] { work(); });
  }
}

Executors::~Executors() {
  stop();
}

bool Executors::try_submit(Job& job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || count_ == ring_.size()) {
      return false;
    }
    ring_[(first_ + count_++) % ring_.size()] = &job;
  }
  wake_.notify_one();
  return true;
}

void Executors::stop() {
  std::vector<std::thread> workers;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    count_ = 0;
    workers.swap(workers_);
  }
  wake_.notify_all();
  for (std::thread& worker : workers) {
    worker.join();
  }
}

std::size_t Executors::queued() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void Executors::work() {
  while (true) {
    Job* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopped_ || count_ > 0; });
      if (stopped_) {
        return;
      }
      job = ring_[first_];
      first_ = (first_ + 1) % ring_.size();
      --count_;
    }
    job->run();
  }
}

}  // namespace onnxop
