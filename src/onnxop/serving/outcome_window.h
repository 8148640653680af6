#pragma once
// How many of the latest outcomes were bad. Safe from any thread, without a lock.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

namespace onnxop {

class OutcomeWindow {
 public:
  /// Remembers `size` outcomes, at least one.
  explicit OutcomeWindow(std::int64_t size)
      : outcomes_(static_cast<std::size_t>(std::max<std::int64_t>(size, 1))) {}

  void add(bool bad) {
    const std::uint64_t number = count_.fetch_add(1, std::memory_order_relaxed);
    const std::uint8_t now = bad ? 1 : 0;
    const std::uint8_t before =
        outcomes_[number % outcomes_.size()].exchange(now, std::memory_order_relaxed);
    bad_.fetch_add(now - before, std::memory_order_relaxed);
  }

  /// Outcomes that are remembered.
  std::int64_t size() const {
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(count_.load(std::memory_order_relaxed), outcomes_.size()));
  }
  /// The bad ones of those. While others add, it may be off by what they are adding.
  std::int64_t bad() const { return bad_.load(std::memory_order_relaxed); }

 private:
  std::vector<std::atomic<std::uint8_t>> outcomes_;
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::int64_t> bad_{0};
};

}  // namespace onnxop
