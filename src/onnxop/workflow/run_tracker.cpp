#include "onnxop/workflow/run_tracker.h"

#include <algorithm>
#include <ctime>
#include <iterator>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"

namespace onnxop {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kChunk = 10'000;         // points in a transaction, at most
constexpr std::size_t kEnough = 5'000;         // points that are written before their time
constexpr double kCpuAllowance = 0.05;         // seconds, for opening the store
constexpr std::int64_t kMostStride = 1 << 16;  // a step in so many

double thread_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

RunTracker::RunTracker(std::unique_ptr<PointSink> sink, TrackerOptions options)
    : sink_(std::move(sink)), options_(std::move(options)) {
  if (!options_.cpu_seconds) {
    options_.cpu_seconds = thread_cpu_seconds;
  }
  thread_ = std::thread([this] { run(); });
}

RunTracker::~RunTracker() {
  if (thread_.joinable()) {
    finish();
  }
}

bool RunTracker::wants_step(std::int64_t step) const {
  return step % stride_.load(std::memory_order_relaxed) == 0;
}

void RunTracker::log(const std::vector<Metric>& points) {
  bool enough = false;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    push(points);
    enough = pending_.size() >= kEnough;
  }
  if (enough) {
    wake_.notify_one();
  }
}

// With the lock.
void RunTracker::push(const std::vector<Metric>& points) {
  for (const Metric& point : points) {
    const auto [last, is_new] = options_.last_steps.try_emplace(point.key, point.step);
    if (!is_new && point.step <= last->second) {
      continue;
    }
    last->second = point.step;
    if (pending_.size() + in_flight_ >= options_.most_points) {
      ++lost_;
    } else {
      pending_.push_back(point);
    }
  }
}

RunTracker::Rest RunTracker::finish() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  Rest rest{std::move(chunk_), lost_, {}};
  std::ranges::move(pending_, std::back_inserter(rest.points));
  if (!rest.points.empty() || rest.lost > 0) {
    rest.error = last_error_;
  }
  return rest;
}

void RunTracker::run() {
  watched_since_ = SteadyClock::now();
  cpu_before_ = options_.cpu_seconds();
  next_sample_ = watched_since_;
  int tries_left = options_.last_tries;
  bool last = false;  // the training is over
  sample_if_due(false);
  while (true) {
    bool over = false;  // since this time
    {
      std::unique_lock lock(mutex_);
      const int doubled = last ? 0 : std::min(failures_ - 1, 4);
      const auto pause =
          failures_ == 0 ? options_.write_every : options_.first_pause * (1 << doubled);
      // While the store is away, only the end of the training is a reason to try earlier.
      wake_.wait_for(lock, pause, [&] {
        return (stopping_ && !last) || (failures_ == 0 && pending_.size() >= kEnough);
      });
      if (failure_) {
        return;
      }
      over = stopping_ && !last;
      last = stopping_;
    }
    sample_if_due(over);
    bool written = true;
    while (written && take_chunk(chunk_)) {
      written = write_chunk(chunk_);
    }
    watch_cpu();
    if (last && (written || options_.on_error == OnTrackingError::kStop || tries_left-- == 0)) {
      return;
    }
  }
}

// The points of the last failure first; else new ones.
bool RunTracker::take_chunk(std::vector<Metric>& chunk) {
  if (!chunk.empty()) {
    return true;
  }
  const std::lock_guard lock(mutex_);
  const std::size_t count = std::min(pending_.size(), kChunk);
  const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(count);
  chunk.assign(std::move_iterator(pending_.begin()), std::move_iterator(end));
  pending_.erase(pending_.begin(), end);
  in_flight_ = count;
  return count > 0;
}

bool RunTracker::write_chunk(std::vector<Metric>& chunk) {
  try {
    sink_->write(chunk);
  } catch (const std::exception& error) {
    write_failed(chunk, error);
    return false;
  }
  if (failures_ > 0) {
    log_warning("tracking: the store can be written again");
  }
  failures_ = 0;
  chunk.clear();
  const std::lock_guard lock(mutex_);
  in_flight_ = 0;
  return true;
}

void RunTracker::write_failed(const std::vector<Metric>& chunk, const std::exception& error) {
  last_error_ = error.what();
  ++failures_;
  if (options_.on_error == OnTrackingError::kStop) {
    const std::lock_guard lock(mutex_);
    const auto* own = dynamic_cast<const Error*>(&error);
    failure_ = std::make_exception_ptr(
        Error(own == nullptr ? ErrorCode::kInternal : own->code(),
              format("tracking: {} points of metrics could not be written: {}",
                     chunk.size() + pending_.size(), error.what())));
  } else if (failures_ == 1) {
    log_warning("tracking: {}; the training goes on, and what is measured is kept", error.what());
  }
}

void RunTracker::sample_if_due(bool last) {
  const auto now = SteadyClock::now();
  if (!options_.sample || (now < next_sample_ && !last)) {
    return;
  }
  next_sample_ = now + options_.sample_every;
  const std::vector<Metric> points = options_.sample(++samples_);
  const std::lock_guard lock(mutex_);
  push(points);
}

void RunTracker::watch_cpu() {
  const auto now = SteadyClock::now();
  const double elapsed = std::chrono::duration<double>(now - watched_since_).count();
  const double used = options_.cpu_seconds() - cpu_before_;
  const std::int64_t stride = stride_.load(std::memory_order_relaxed);
  if (used > kCpuAllowance + options_.most_cpu_share * elapsed && stride < kMostStride) {
    stride_.store(2 * stride, std::memory_order_relaxed);
    watched_since_ = now;
    cpu_before_ += used;
  }
}

}  // namespace onnxop
