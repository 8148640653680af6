#pragma once
// Runs what nobody waits for: one thread, of the lowest priority that the system has, apart from
// the executors, so that answers that somebody waits for never stand behind one that nobody does.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace onnxop {

struct ShadowLimits {
  std::size_t max_queued = 64;         // jobs that wait
  std::size_t max_bytes = 64U << 20U;  // that they hold, together
};

/// Safe from any thread, except that a job must not destroy its own runner.
class ShadowRunner {
 public:
  explicit ShadowRunner(const ShadowLimits& limits = {});
  /// Waits for the job that runs; those that wait are forgotten.
  ~ShadowRunner();
  ShadowRunner(const ShadowRunner&) = delete;
  ShadowRunner& operator=(const ShadowRunner&) = delete;

  /// Keeps room for a job that will hold so many bytes; takes no lock. False: there is none.
  [[nodiscard]] bool reserve(std::size_t bytes);
  /// Of a job that will not come after all.
  void give_back(std::size_t bytes);
  /// The job for which room was kept; it must not throw.
  void run(std::size_t bytes, std::function<void()> job);

 private:
  struct Job {
    std::size_t bytes = 0;
    std::function<void()> work;
  };

  void work();

  const ShadowLimits limits_;
  std::atomic<std::size_t> reserved_jobs_{0};  // those in jobs_ too
  std::atomic<std::size_t> reserved_bytes_{0};
  std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace onnxop
