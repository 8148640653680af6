#pragma once
// What was asked of one version of a model, and how long it took: counters that only grow. Safe
// from any thread.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "onnxop/batch/batch_call.h"
#include "onnxop/batch/model_queue.h"

namespace onnxop {

/// Upper bounds of the histograms' buckets, in seconds; one more bucket has no bound.
inline constexpr std::array kSecondsBuckets{50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3,
                                            5e-3,  10e-3,  25e-3,  50e-3,  0.1,  0.25,
                                            0.5,   1.0,    2.5,    5.0,    10.0};
inline constexpr std::array kRowsBuckets{1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0};

/// How often, and the sum.
template <std::size_t kBounds>
class Histogram {
 public:
  explicit constexpr Histogram(const std::array<double, kBounds>& bounds) : bounds_(bounds) {}

  void add(double value) {
    std::size_t bucket = 0;
    while (bucket < kBounds && value > bounds_[bucket]) {
      ++bucket;
    }
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  struct Values {
    std::array<std::uint64_t, kBounds + 1> counts{};  // not summed up
    double sum = 0;
    std::uint64_t count() const {
      std::uint64_t total = 0;
      for (const std::uint64_t each : counts) {
        total += each;
      }
      return total;
    }
  };
  Values values() const {
    Values result;
    for (std::size_t i = 0; i <= kBounds; ++i) {
      result.counts[i] = counts_[i].load(std::memory_order_relaxed);
    }
    result.sum = sum_.load(std::memory_order_relaxed);
    return result;
  }
  const std::array<double, kBounds>& bounds() const { return bounds_; }

 private:
  const std::array<double, kBounds>& bounds_;
  std::array<std::atomic<std::uint64_t>, kBounds + 1> counts_{};
  std::atomic<double> sum_{0};
};

enum class Protocol : std::uint8_t { kHttp, kGrpc };
std::string_view protocol_name(Protocol protocol);  // "http", "grpc"

class ModelStats {
 public:
  /// A request that ended; `status` is HTTP's, for gRPC too (the one its code stands for).
  void count_request(Protocol protocol, int status, double total_seconds);

  /// A call that was run or failed before it: its times say how far it came.
  void count_call(const CallTimes& times, bool failed);

  /// A run of the engine.
  void count_run(const RunReport& report, WallTime now);

  struct Runs {
    std::uint64_t count = 0;
    double seconds = 0;
  };
  struct Snapshot {
    std::uint64_t rows = 0;                // answered
    std::uint64_t runs = 0;                // of the engine
    std::int64_t last_run_ms = 0;          // since 1970; 0: never
    Runs success, failure;                 // calls, from the queue to the answer
    Runs queue, preprocess, compute;       // calls that succeeded
    std::map<std::int64_t, Runs> by_rows;  // runs of so many rows
    std::map<std::pair<Protocol, int>, std::uint64_t> requests;  // by status
  };
  Snapshot snapshot() const;

  Histogram<kSecondsBuckets.size()> queue_seconds{kSecondsBuckets};
  Histogram<kSecondsBuckets.size()> preprocess_seconds{kSecondsBuckets};
  Histogram<kSecondsBuckets.size()> compute_seconds{kSecondsBuckets};
  Histogram<kSecondsBuckets.size()> total_seconds{kSecondsBuckets};
  Histogram<kRowsBuckets.size()> batch_rows{kRowsBuckets};

 private:
  mutable std::mutex mutex_;
  Snapshot counts_;
};

}  // namespace onnxop
