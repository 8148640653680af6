#include "onnxop/base/thread_pool.h"

#include <algorithm>
#include <utility>

namespace onnxop {

ThreadPool::ThreadPool(int threads, const std::function<void(int)>& on_start) {
  for (int worker = 1; worker < std::max(threads, 1); ++worker) {
    workers_.emplace_back([this, worker, on_start] {
      if (on_start) {
        on_start(worker);
      }
      worker_loop(worker);
    });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& thread : workers_) {
    thread.join();
  }
}

void ThreadPool::run(int count, const std::function<void(int, int)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    count_ = count;
    next_ = 0;
    ++generation_;
  }
  wake_.notify_all();
  take_pieces(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return busy_ == 0; });
  work_ = nullptr;
  if (failure_) {
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }
}

void ThreadPool::worker_loop(int worker) {
  std::uint64_t seen = 0;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || generation_ != seen; });
      if (stop_) {
        return;
      }
      seen = generation_;
    }
    take_pieces(worker);
  }
}

void ThreadPool::take_pieces(int worker) {
  std::unique_lock lock(mutex_);
  while (work_ != nullptr && next_ < count_) {
    const int index = next_++;
    ++busy_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      (*work_)(index, worker);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    --busy_;
    if (failure && !failure_) {
      failure_ = failure;
      next_ = count_;
    }
  }
  if (busy_ == 0) {
    done_.notify_all();
  }
}

}  // namespace onnxop
