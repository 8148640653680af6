#pragma once
// What the training takes of the machine, as metrics with MLflow's names.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/run.h"

namespace onnxop {

/// Reads /proc. One thread at a time.
///
///   system/cpu_utilization_percentage       of all processors, since the sample before
///   system/system_memory_usage_megabytes    of the machine
///   system/system_memory_usage_percentage
///   system/process_cpu_utilization_percentage   of this process; 100 is one processor
///   system/process_memory_megabytes         resident, of this process
///
/// A megabyte is 1,000,000 bytes, as in MLflow. What cannot be read is left out; of utilization the
/// first sample has none.
class SystemMetrics {
 public:
  /// `proc` stands for /proc in tests; `ticks_per_second` for sysconf's (0: ask it).
  explicit SystemMetrics(std::filesystem::path proc = "/proc", long ticks_per_second = 0);

  std::vector<Metric> sample(std::int64_t step, std::int64_t timestamp_ms);

 private:
  struct CpuTimes {
    double busy = 0, all = 0;  // ticks of all processors
    double process = 0;        // ticks of this process
  };
  std::optional<CpuTimes> cpu_times() const;

  std::filesystem::path proc_;
  double ticks_per_second_;
  std::optional<CpuTimes> before_;
  std::int64_t before_ms_ = 0;
};

}  // namespace onnxop
