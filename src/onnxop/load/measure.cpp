#include "onnxop/load/measure.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

bool is_answer(int status) {
  return status >= 200 && status < 300;
}

/// Whether no value is further from their mean than that part of it.
bool agree(std::span<const double> values, double tolerance) {
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  return std::all_of(values.begin(), values.end(), [&](double each) {
    return each > 0 && std::abs(each - mean) <= tolerance * mean;
  });
}

}  // namespace

double percentile(std::span<const double> sorted, double percent) {
  if (sorted.empty()) {
    return 0;
  }
  const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

LatencySummary summarize_latencies(std::vector<double> latencies_ms) {
  LatencySummary summary;
  if (latencies_ms.empty()) {
    return summary;
  }
  std::sort(latencies_ms.begin(), latencies_ms.end());
  summary.mean_ms = std::accumulate(latencies_ms.begin(), latencies_ms.end(), 0.0) /
                    static_cast<double>(latencies_ms.size());
  summary.p50_ms = percentile(latencies_ms, 50);
  summary.p90_ms = percentile(latencies_ms, 90);
  summary.p95_ms = percentile(latencies_ms, 95);
  summary.p99_ms = percentile(latencies_ms, 99);
  summary.max_ms = latencies_ms.back();
  return summary;
}

LoadFigures figures_of(std::span<const LoadWindow> windows) {
  LoadFigures figures;
  std::vector<double> latencies;
  double client_ms = 0;
  for (const LoadWindow& window : windows) {
    figures.seconds += window.seconds;
    for (const LoadSample& sample : window.samples) {
      if (is_answer(sample.status)) {
        latencies.push_back(sample.latency_ms);
        client_ms += sample.client_ms;
      } else {
        ++figures.errors;
        ++figures.errors_by_status[sample.status];
      }
    }
  }
  figures.answered = static_cast<std::int64_t>(latencies.size());
  if (figures.answered > 0) {
    figures.client_ms = client_ms / static_cast<double>(figures.answered);
    figures.per_second =
        figures.seconds > 0 ? static_cast<double>(figures.answered) / figures.seconds : 0;
  }
  figures.latency = summarize_latencies(std::move(latencies));
  return figures;
}

void check_window_rule(const WindowRule& rule) {
  if (rule.requests < 0 || (rule.requests == 0 && !(rule.seconds > 0)) || rule.steady < 1 ||
      rule.most < 1 || !(rule.tolerance > 0)) {
    fail(
        ErrorCode::kInvalidArgument,
        "windows of {} s or {} requests, {} of which have to agree within {}, at most {}: expected "
        "numbers over 0",
        rule.seconds, rule.requests, rule.steady, rule.tolerance, rule.most);
  }
  latency_at({}, rule.latency_percent);
}

double latency_at(const LatencySummary& latency, double percent) {
  const std::map<double, double> known{
      {50, latency.p50_ms}, {90, latency.p90_ms}, {95, latency.p95_ms}, {99, latency.p99_ms}};
  const auto at = known.find(percent);
  if (at == known.end()) {
    fail(ErrorCode::kInvalidArgument, "percentile {}: expected 50, 90, 95 or 99", percent);
  }
  return at->second;
}

bool windows_agree(std::span<const LoadFigures> windows, const WindowRule& rule) {
  if (windows.size() < rule.steady) {
    return false;
  }
  std::vector<double> rates;
  std::vector<double> latencies;
  for (const LoadFigures& each : windows.last(rule.steady)) {
    rates.push_back(each.per_second);
    latencies.push_back(latency_at(each.latency, rule.latency_percent));
  }
  return agree(rates, rule.tolerance) && agree(latencies, rule.tolerance);
}

LoadReport report_of(std::span<const LoadWindow> windows, const WindowRule& rule) {
  LoadReport report;
  for (const LoadWindow& each : windows) {
    report.windows.push_back(figures_of(std::span(&each, 1)));
  }
  report.steady = windows_agree(report.windows, rule);
  report.figures = figures_of(windows.last(std::min(rule.steady, windows.size())));
  return report;
}

}  // namespace onnxop
