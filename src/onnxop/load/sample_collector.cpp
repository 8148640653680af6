#include "onnxop/load/sample_collector.h"

#include <utility>

namespace onnxop {

void SampleCollector::add(const LoadSample& sample) {
  const std::lock_guard lock(mutex_);
  samples_.push_back(sample);
  if (static_cast<std::int64_t>(samples_.size()) >= wanted_) {
    changed_.notify_one();
  }
}

void SampleCollector::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_one();
}

bool SampleCollector::finished() {
  const std::lock_guard lock(mutex_);
  return finished_;
}

LoadWindow SampleCollector::cut(const WindowRule& rule) {
  std::unique_lock lock(mutex_);
  if (rule.requests > 0) {
    wanted_ = rule.requests;
    changed_.wait(lock, [&] {
      return finished_ || static_cast<std::int64_t>(samples_.size()) >= rule.requests;
    });
  } else {
    const auto end = begun_ + std::chrono::duration_cast<SteadyTime::duration>(
                                  std::chrono::duration<double>(rule.seconds));
    changed_.wait_until(lock, end, [&] { return finished_; });
  }
  LoadWindow window;
  window.samples = std::exchange(samples_, {});
  const SteadyTime now = clock_.steady();
  window.seconds = seconds_between(begun_, now);
  begun_ = now;
  samples_.reserve(window.samples.size() + 1024);
  return window;
}

std::vector<LoadWindow> cut_windows(SampleCollector& collector, const WindowRule& rule,
                                    const std::function<void()>& at_boundary) {
  std::vector<LoadWindow> windows;
  std::vector<LoadFigures> figures;
  if (at_boundary) {
    at_boundary();
  }
  while (windows.size() < rule.most && !windows_agree(figures, rule)) {
    const bool last = collector.finished();
    LoadWindow window = collector.cut(rule);
    if (at_boundary) {
      at_boundary();
    }
    if (last && window.samples.empty()) {
      break;
    }
    figures.push_back(figures_of(std::span(&window, 1)));
    windows.push_back(std::move(window));
  }
  return windows;
}

}  // namespace onnxop
