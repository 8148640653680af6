#pragma once
// A fixed set of threads that run indexed pieces of work.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace onnxop {

/// run() may be called from one thread at a time; the calling thread works too, as worker 0.
class ThreadPool {
 public:
  /// `threads` >= 1 counts the caller. `on_start(worker)` runs first in each new thread (not in the
  /// caller's).
  explicit ThreadPool(int threads, const std::function<void(int worker)>& on_start = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls work(index, worker) once for each index in [0, count), each index by whichever worker is
  /// free, and returns when all are done. The first exception stops the handing out and is thrown
  /// again here once running ones have ended.
  void run(int count, const std::function<void(int index, int worker)>& work);

 private:
  void worker_loop(int worker);
  void take_pieces(int worker);

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int, int)>* work_ = nullptr;
  int count_ = 0;
  int next_ = 0;
  int busy_ = 0;
  std::uint64_t generation_ = 0;
  bool stop_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> workers_;
};

}  // namespace onnxop
