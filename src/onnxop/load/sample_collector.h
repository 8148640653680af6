#pragma once
// Where the threads of a load put what they measure, and where the windows are cut from it.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/load/measure.h"

namespace onnxop {

/// Any thread may add; one thread cuts windows.
class SampleCollector {
 public:
  /// `clock` must outlive it, and stand for the same time as the condition variable's.
  explicit SampleCollector(const Clock& clock) : clock_(clock), begun_(clock.steady()) {}

  void add(const LoadSample& sample);

  /// The load is over: no more samples come.
  void finish();

  /// Waits until the window that begins now, or began with the last cut, is over: by the rule, or
  /// because the load is.
  LoadWindow cut(const WindowRule& rule);

  bool finished();

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<LoadSample> samples_;
  std::int64_t wanted_ = INT64_MAX;  // so many samples wake who waits
  bool finished_ = false;
  SteadyTime begun_;
};

/// Cuts windows until they agree, there are `rule.most`, or the load is over. `at_boundary` is
/// called before the first window and after each.
std::vector<LoadWindow> cut_windows(SampleCollector& collector, const WindowRule& rule,
                                    const std::function<void()>& at_boundary);

}  // namespace onnxop
