#include "onnxop/workflow/system_metrics.h"

#include <array>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include <unistd.h>

namespace onnxop {
namespace {

constexpr double kMegabyte = 1e6;

/// Files of /proc have no size that could be asked for; "" where there is none.
std::string read_proc_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Lines of "Name:   123 kB", in bytes.
std::map<std::string, double> read_kilobytes(const std::filesystem::path& path) {
  std::istringstream text(read_proc_file(path));
  std::map<std::string, double> values;
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    std::string name;
    std::string unit;
    double value = 0;
    if (words >> name >> value >> unit && unit == "kB" && name.ends_with(':')) {
      name.pop_back();
      values[name] = 1024 * value;
    }
  }
  return values;
}

}  // namespace

SystemMetrics::SystemMetrics(std::filesystem::path proc, long ticks_per_second)
    : proc_(std::move(proc)),
      ticks_per_second_(
          static_cast<double>(ticks_per_second > 0 ? ticks_per_second : ::sysconf(_SC_CLK_TCK))) {}

std::optional<SystemMetrics::CpuTimes> SystemMetrics::cpu_times() const {
  // cpu user nice system idle iowait irq softirq steal …
  std::istringstream all(read_proc_file(proc_ / "stat"));
  std::string name;
  std::array<double, 8> ticks{};
  all >> name;
  CpuTimes times;
  for (double& value : ticks) {
    if (!(all >> value)) {
      return std::nullopt;
    }
    times.all += value;
  }
  times.busy = times.all - ticks[3] - ticks[4];
  // pid (name, which may hold anything) state and 10 more, utime, stime …
  const std::string own = read_proc_file(proc_ / "self" / "stat");
  const auto end_of_name = own.rfind(')');
  if (end_of_name == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream words(own.substr(end_of_name + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) {
    words >> skipped;
  }
  double user = 0;
  double system = 0;
  if (!(words >> user >> system)) {
    return std::nullopt;
  }
  times.process = user + system;
  return times;
}

std::vector<Metric> SystemMetrics::sample(std::int64_t step, std::int64_t timestamp_ms) {
  std::vector<Metric> metrics;
  const auto add = [&](std::string key, double value) {
    metrics.push_back({"system/" + std::move(key), value, timestamp_ms, step});
  };
  const auto times = cpu_times();
  const double seconds = static_cast<double>(timestamp_ms - before_ms_) / 1000;
  if (times && before_ && times->all > before_->all && seconds > 0) {
    add("cpu_utilization_percentage",
        100 * (times->busy - before_->busy) / (times->all - before_->all));
    add("process_cpu_utilization_percentage",
        100 * (times->process - before_->process) / ticks_per_second_ / seconds);
  }
  before_ = times;
  before_ms_ = timestamp_ms;
  auto machine = read_kilobytes(proc_ / "meminfo");
  const double total = machine["MemTotal"];
  if (total > 0) {
    const double used = total - machine["MemAvailable"];
    add("system_memory_usage_megabytes", used / kMegabyte);
    add("system_memory_usage_percentage", 100 * used / total);
  }
  const auto own = read_kilobytes(proc_ / "self" / "status");
  if (const auto resident = own.find("VmRSS"); resident != own.end()) {
    add("process_memory_megabytes", resident->second / kMegabyte);
  }
  return metrics;
}

}  // namespace onnxop
