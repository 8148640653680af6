#pragma once
// What runs next: pure functions of what waits.

#include <cstddef>
#include <cstdint>
#include <span>

#include "onnxop/base/clock.h"

namespace onnxop {

/// A waiting call as the policy sees it.
struct WaitingCall {
  std::uint64_t shape_key = 0;  // calls with the same key may run together
  std::int64_t rows = 1;        // of the batch dimension
  SteadyTime deadline = SteadyTime::max();
};

enum class CallChoice : std::uint8_t { kLeave, kTake, kExpired };

/// Fills `choices`, one a call, oldest first: whose deadline is not after `now` is expired; the
/// oldest other call is taken, and with it, in order, those of the same shape as long as their rows
/// sum up to at most `max_rows`. A call with more rows than that runs alone. Nobody is overtaken by
/// a later call of the same shape.
void choose_batch(std::span<const WaitingCall> waiting, std::int64_t max_rows, SteadyTime now,
                  std::span<CallChoice> choices);

/// `max_rows`, or less where several executors are idle and can share what waits.
std::int64_t rows_for_one(std::int64_t max_rows, std::span<const WaitingCall> waiting,
                          int idle_executors);

/// How long a run of so many rows took.
struct BatchTiming {
  std::int64_t rows = 0;
  double seconds = 0;
};

/// The smallest size that gives within 3 % of the most rows a second; the timings are of growing
/// sizes. All of them count: throughput may grow by a little at each doubling and by much over
/// several, and a run that was held up says nothing of larger ones. 1 for no timings.
std::int64_t best_batch_size(std::span<const BatchTiming> timings);

/// A model whose calls wait, as the fair choice sees it.
struct WaitingModel {
  double used_seconds = 0;  // of executors, since it last had nothing to do, and before
};

/// The one that has had the least; the first of equals. There is at least one.
std::size_t choose_model(std::span<const WaitingModel> waiting);

}  // namespace onnxop
