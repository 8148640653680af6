#include "onnxop/load/call_load.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/load/sample_collector.h"

namespace onnxop {
namespace {

class Callers {
 public:
  Callers(const std::function<void()>& call, int threads, const WindowRule& rule)
      : call_(call),
        to_begin_(rule.requests > 0 ? rule.requests * static_cast<std::int64_t>(rule.most)
                                    : INT64_MAX) {
    running_ = threads;
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { loop(); });
    }
  }
  ~Callers() { stop(); }
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  SampleCollector& collector() { return collector_; }

  /// Throws what a call threw.
  void end() {
    stop();
    if (failure_) {
      std::rethrow_exception(failure_);
    }
  }

 private:
  void stop() {
    stopping_ = true;
    for (std::thread& each : threads_) {
      if (each.joinable()) {
        each.join();
      }
    }
  }

  void loop() {
    try {
      while (!stopping_ && to_begin_.fetch_sub(1) > 0) {
        const SteadyTime begun = clock_.steady();
        call_();
        collector_.add({1e3 * seconds_between(begun, clock_.steady()), 0, 200});
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = failure_ ? failure_ : std::current_exception();
      stopping_ = true;
    }
    if (--running_ == 0) {
      collector_.finish();
    }
  }

  const std::function<void()>& call_;
  SystemClock clock_;
  SampleCollector collector_{clock_};
  std::atomic<std::int64_t> to_begin_;
  std::atomic<int> running_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

}  // namespace

LoadReport run_call_load(const std::function<void()>& call, int threads,
                         const WindowRule& windows) {
  check_window_rule(windows);
  if (threads < 1) {
    fail(ErrorCode::kInvalidArgument, "{} threads: expected at least one", threads);
  }
  Callers callers(call, threads, windows);
  const auto cut = cut_windows(callers.collector(), windows, {});
  callers.end();
  return report_of(cut, windows);
}

}  // namespace onnxop
