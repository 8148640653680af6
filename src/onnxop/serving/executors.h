#pragma once
// The threads that run models, apart from those that talk to clients: a fixed number of them, and
// one bounded queue, first come, first served.

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace onnxop {

/// A piece of work, owned by who submits it; it must live until run() has ended or the Executors
/// have stopped.
class Job {
 public:
  virtual ~Job() = default;
  /// Called once a submission, on one of the executors' threads. The executor does not touch the
  /// job afterwards, so its last act may be to hand itself back.
  virtual void run() noexcept = 0;
};

/// Safe from any thread, except that a job must not stop or destroy its own Executors.
class Executors {
 public:
  /// Throws Error{kInvalidArgument} for fewer than one thread or one place in the queue.
  Executors(int threads, int max_queued);
  /// As stop().
  ~Executors();
  Executors(const Executors&) = delete;
  Executors& operator=(const Executors&) = delete;

  /// False when `max_queued` jobs wait already, or after stop().
  [[nodiscard]] bool try_submit(Job& job);

  /// Waits for running jobs; those still queued are forgotten without being run.
  void stop();

  int threads() const { return thread_count_; }
  std::size_t queued() const;

 private:
  void work();

  const int thread_count_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job*> ring_;  // a fixed number of places: nothing is allocated for a job
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace onnxop
