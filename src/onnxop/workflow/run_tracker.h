#pragma once
// Points of a run's metrics, on their way into the store while a training goes on: log() puts them
// into a bounded queue and never waits; a thread of its own writes them, many in one transaction,
// and samples the system's metrics in between. log() and what stands with it: one thread.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "onnxop/workflow/point_sink.h"

namespace onnxop {

/// What becomes of a training whose store cannot be written.
enum class OnTrackingError {
  kContinue,  // it goes on; points are kept and written when the store is back
  kStop,      // it ends with the error
};

struct TrackerOptions {
  OnTrackingError on_error = OnTrackingError::kContinue;
  std::map<std::string, std::int64_t> last_steps = {};  // of each key, in the store already
  std::size_t most_points = 500'000;  // kept while they cannot be written; further ones are lost
  std::chrono::milliseconds write_every{1000};
  std::chrono::milliseconds first_pause{1000};  // after a failure; doubled with each, to 16 times
  int last_tries = 5;                           // of finish(), after the first one failed
  /// Called on the writing thread with the number of the sample, from 1; empty: no samples.
  std::function<std::vector<Metric>(std::int64_t step)> sample = {};
  std::chrono::milliseconds sample_every{10'000};  // and once at the start and at the end
  /// Seconds of processor time that the calling thread has used; empty: the system says.
  std::function<double()> cpu_seconds = {};
  double most_cpu_share = 0.005;  // of one processor, over which wants_step() skips steps
};

class RunTracker {
 public:
  RunTracker(std::unique_ptr<PointSink> sink, TrackerOptions options);
  ~RunTracker();  // what is not written by then is lost: see finish()
  RunTracker(const RunTracker&) = delete;
  RunTracker& operator=(const RunTracker&) = delete;

  /// Of each key steps rise: a point whose step is not above the last one is left out, so that a
  /// resumed training writes none twice. Throws under kStop the Error that writing earlier ones
  /// ended with.
  void log(const std::vector<Metric>& points);
  /// Whether this step should be logged: true unless writing takes more than its share of the
  /// processor, which halves the steps each time.
  bool wants_step(std::int64_t step) const;

  struct Rest {
    std::vector<Metric> points;  // that could not be written
    std::size_t lost = 0;        // how many more there were no room for
    std::string error;           // why; "" where all is written
  };
  /// Writes what is left, and ends the thread. Nothing may be logged afterwards. Does not throw.
  Rest finish();

 private:
  void run();
  bool take_chunk(std::vector<Metric>& chunk);
  bool write_chunk(std::vector<Metric>& chunk);
  void write_failed(const std::vector<Metric>& chunk, const std::exception& error);
  void sample_if_due(bool last);
  void watch_cpu();
  void push(const std::vector<Metric>& points);

  std::unique_ptr<PointSink> sink_;
  TrackerOptions options_;

  std::mutex mutex_;  // guards what follows, up to the empty line
  std::condition_variable wake_;
  std::vector<Metric> pending_;
  std::size_t in_flight_ = 0;  // taken by the thread, not yet written
  std::size_t lost_ = 0;
  bool stopping_ = false;
  std::exception_ptr failure_;

  // Of the writing thread; finish() reads them after its end.
  std::vector<Metric> chunk_;
  int failures_ = 0;  // in a row
  std::string last_error_;
  std::int64_t samples_ = 0;
  std::chrono::steady_clock::time_point next_sample_{};
  std::chrono::steady_clock::time_point watched_since_{};
  double cpu_before_ = 0;

  std::atomic<std::int64_t> stride_ = 1;
  std::thread thread_;
};

}  // namespace onnxop
