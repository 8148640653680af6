#include "onnxop/batch/batch_policy.h"

#include <algorithm>

namespace onnxop {

void choose_batch(std::span<const WaitingCall> waiting, std::int64_t max_rows, SteadyTime now,
                  std::span<CallChoice> choices) {
  bool begun = false;
  bool full = false;
  std::uint64_t key = 0;
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const WaitingCall& call = waiting[i];
    choices[i] = CallChoice::kLeave;
    if (call.deadline <= now) {
      choices[i] = CallChoice::kExpired;
    } else if (!begun) {
      begun = true;
      key = call.shape_key;
      rows = call.rows;
      choices[i] = CallChoice::kTake;
    } else if (!full && call.shape_key == key) {
      full = call.rows > max_rows - rows;
      if (!full) {
        rows += call.rows;
        choices[i] = CallChoice::kTake;
      }
    }
  }
}

std::int64_t rows_for_one(std::int64_t max_rows, std::span<const WaitingCall> waiting,
                          int idle_executors) {
  const std::int64_t sharers = std::max(1, idle_executors);
  std::int64_t rows = 0;
  for (const WaitingCall& call : waiting) {
    rows += std::min(call.rows, max_rows);
  }
  return std::clamp<std::int64_t>((rows + sharers - 1) / sharers, 1,
                                  std::max<std::int64_t>(max_rows, 1));
}

std::int64_t best_batch_size(std::span<const BatchTiming> timings) {
  constexpr double kAsGood = 0.97;
  const auto rate = [](const BatchTiming& timing) {
    return static_cast<double>(timing.rows) / std::max(timing.seconds, 1e-12);
  };
  double highest = 0;
  for (const BatchTiming& timing : timings) {
    highest = std::max(highest, rate(timing));
  }
  const auto first = std::find_if(timings.begin(), timings.end(), [&](const BatchTiming& timing) {
    return rate(timing) >= kAsGood * highest;
  });
  return first == timings.end() ? 1 : first->rows;
}

std::size_t choose_model(std::span<const WaitingModel> waiting) {
  const auto least = std::min_element(
      waiting.begin(), waiting.end(),
      [](const WaitingModel& a, const WaitingModel& b) { return a.used_seconds < b.used_seconds; });
  return static_cast<std::size_t>(least - waiting.begin());
}

}  // namespace onnxop
