#pragma once
// What a load generator makes of its measurements: percentiles, windows, and when they are steady.
// Pure functions of values; safe from any thread.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace onnxop {

/// One request that ended.
struct LoadSample {
  double latency_ms = 0;  // from when it was due to the end of its answer
  double client_ms = 0;   // of that, until it was sent: waiting for a free connection, writing
  int status = 0;         // HTTP's; 0: no answer (a broken connection, or too late)
};

/// All requests that ended within a time.
struct LoadWindow {
  double seconds = 0;
  std::vector<LoadSample> samples;
};

struct LatencySummary {
  double mean_ms = 0, p50_ms = 0, p90_ms = 0, p95_ms = 0, p99_ms = 0, max_ms = 0;
};

struct LoadFigures {
  double seconds = 0;
  std::int64_t answered = 0;  // with a status from 200 to 299
  std::int64_t errors = 0;    // all others
  std::map<int, std::int64_t> errors_by_status;
  double per_second = 0;   // answered
  LatencySummary latency;  // of those answered
  double client_ms = 0;    // their mean
};

/// The smallest value that at least `percent` of all are not larger than (nearest rank); 0 of none.
/// `sorted` goes up.
double percentile(std::span<const double> sorted, double percent);

/// In any order.
LatencySummary summarize_latencies(std::vector<double> latencies_ms);

/// Of all windows' requests together.
LoadFigures figures_of(std::span<const LoadWindow> windows);

/// When windows are long enough, and enough of them.
struct WindowRule {
  double seconds = 1;           // of a window
  std::int64_t requests = 0;    // over 0: a window ends after so many requests instead
  std::size_t steady = 3;       // so many windows in a row have to agree
  std::size_t most = 10;        // windows; then it ends, agreed or not
  double tolerance = 0.1;       // how far from their mean they may be, as a part of it
  double latency_percent = 95;  // which percentile of the latency has to agree
};

/// Throws Error{kInvalidArgument} for one that can never end or agree.
void check_window_rule(const WindowRule& rule);

/// Whether the last `rule.steady` windows agree in throughput and latency; windows without an
/// answer never do.
bool windows_agree(std::span<const LoadFigures> windows, const WindowRule& rule);

/// The latency that `percent` names: 50, 90, 95 or 99. Throws Error{kInvalidArgument} for others.
double latency_at(const LatencySummary& latency, double percent);

/// What a load came to.
struct LoadReport {
  std::vector<LoadFigures> windows;
  bool steady = false;  // the last ones agree
  LoadFigures figures;  // of the last `rule.steady` windows together, or of all if they are fewer
};

LoadReport report_of(std::span<const LoadWindow> windows, const WindowRule& rule);

}  // namespace onnxop
