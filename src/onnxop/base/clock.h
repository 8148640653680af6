#pragma once
// Time as a dependency: what needs a clock takes a Clock&, tests give a FakeClock. Both are safe to
// call from any thread.

#include <atomic>
#include <chrono>
#include <string>

namespace onnxop {

using WallTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  /// The calendar's time, which may jump.
  virtual WallTime wall() const = 0;
  /// Never goes back; for durations.
  virtual SteadyTime steady() const = 0;
};

class SystemClock : public Clock {
 public:
  WallTime wall() const override { return std::chrono::system_clock::now(); }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

/// Stands still until moved.
class FakeClock : public Clock {
 public:
  WallTime wall() const override { return WallTime(std::chrono::milliseconds(ms_.load())); }
  SteadyTime steady() const override { return SteadyTime(std::chrono::milliseconds(ms_.load())); }
  void advance(std::chrono::milliseconds by) { ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> ms_{1'700'000'000'000};
};

/// Milliseconds since 1970-01-01 UTC.
std::int64_t to_unix_ms(WallTime time);

/// RFC 3339 in UTC with milliseconds: "2026-05-03T14:00:00.000Z".
std::string format_time(WallTime time);

double seconds_between(SteadyTime from, SteadyTime to);

}  // namespace onnxop
