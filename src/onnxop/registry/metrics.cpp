// The metrics of runs: every point (metric_points.h), and the latest of each key in
// run_latest_metrics.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "onnxop/base/error.h"
#include "onnxop/registry/bulk_rows.h"
#include "onnxop/registry/metric_points.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/run_rows.h"
#include "onnxop/registry/runs.h"

namespace onnxop {
namespace {

MetricPoint point_of(std::int64_t run, const Metric& metric) {
  const bool is_nan = std::isnan(metric.value);
  return {run,           metric.key, metric.timestamp_ms, metric.step, is_nan ? 0.0 : metric.value,
          is_nan ? 1 : 0};
}

// The latest point of each key.
std::vector<MetricPoint> latest_of(std::int64_t run, std::span<const Metric> metrics) {
  std::map<std::string_view, const Metric*> latest;
  for (const Metric& metric : metrics) {
    const auto [at, is_new] = latest.try_emplace(metric.key, &metric);
    if (!is_new && is_later_metric(metric, *at->second)) {
      at->second = &metric;
    }
  }
  std::vector<MetricPoint> points;
  points.reserve(latest.size());
  for (const auto& [key, metric] : latest) {
    points.push_back(point_of(run, *metric));
  }
  return points;
}

}  // namespace

double metric_from_columns(double value, int is_nan) {
  return is_nan != 0 ? std::nan("") : value;
}

bool is_later_metric(const Metric& metric, const Metric& than) {
  const auto rank = [](const Metric& m) {
    const bool number = !std::isnan(m.value);
    return std::tuple(m.timestamp_ms, m.step, number, number ? m.value : 0.0);
  };
  return rank(metric) > rank(than);
}

void check_metrics(std::span<const Metric> metrics) {
  for (const Metric& metric : metrics) {
    check_key("metric", metric.key, RunLimits::kKey);
    if (metric.timestamp_ms < 0) {
      fail(ErrorCode::kInvalidArgument, "the metric '{}' has the time {}: expected 0 or more",
           metric.key, metric.timestamp_ms);
    }
  }
}

void append_metrics(Session& session, std::int64_t run, std::span<const Metric> metrics) {
  std::vector<MetricPoint> points;
  points.reserve(metrics.size());
  for (const Metric& metric : metrics) {
    points.push_back(point_of(run, metric));
  }
  append_points(session, run, std::move(points));
  // The order is that of is_later_metric().
  insert_rows<MetricPoint>(
      session, "INSERT INTO run_latest_metrics AS l (run, key, timestamp_ms, step, value, is_nan)",
      "ON CONFLICT (run, key) DO UPDATE SET step = excluded.step, "
      "timestamp_ms = excluded.timestamp_ms, value = excluded.value, is_nan = excluded.is_nan "
      "WHERE (excluded.timestamp_ms, excluded.step, -excluded.is_nan, excluded.value) > "
      "(l.timestamp_ms, l.step, -l.is_nan, l.value)",
      latest_of(run, metrics));
}

void Runs::log_metrics(std::string_view run_id, const std::vector<Metric>& metrics) {
  check_metrics(metrics);
  core_.database.write_log([&](Session& session) {
    append_metrics(session, find_active_run(session, core_, run_id).number, metrics);
  });
}

namespace {

// A page token is the place of the last point of the page before in its history.
std::string page_token(const MetricPoint& point) {
  return format("{}_{}_{}_{}", point.timestamp_ms, point.step, point.value, point.is_nan);
}

// The point that the page begins behind.
MetricPoint parse_page_token(std::string_view token) {
  MetricPoint point;
  point.timestamp_ms = std::numeric_limits<long long>::min();
  if (token.empty()) {
    return point;
  }
  const char* at = token.data();
  const char* const end = at + token.size();
  const auto read = [&](auto& number, bool last) {
    const auto [stop, error] = std::from_chars(at, end, number);
    at = stop == end ? stop : stop + 1;
    return error == std::errc() && (last ? stop == end : stop != end && *stop == '_');
  };
  if (!read(point.timestamp_ms, false) || !read(point.step, false) || !read(point.value, false) ||
      !read(point.is_nan, true) || std::isnan(point.value)) {
    fail(ErrorCode::kInvalidArgument, "'{}' is no page token of a metric's history", token);
  }
  return point;
}

}  // namespace

std::vector<Metric> Runs::metric_history(std::string_view run_id, std::string_view key) const {
  return metric_history_page(run_id, key, {}).items;
}

Page<Metric> Runs::metric_history_page(std::string_view run_id, std::string_view key,
                                       const MetricHistoryOptions& options) const {
  if (options.max_results < 0) {
    fail(ErrorCode::kInvalidArgument, "a page of {} points: expected 1 or more, or 0 for all",
         options.max_results);
  }
  MetricPoint after = parse_page_token(options.page_token);
  after.key = key;
  const std::int64_t most =
      options.max_results > 0 ? options.max_results : std::numeric_limits<std::int64_t>::max() - 1;
  return core_.database.read([&](Session& session) {
    after.run = find_run(session, core_, run_id).number;
    auto points = load_points(session, after, most + 1);
    Page<Metric> page;
    if (std::ssize(points) > most) {
      points.pop_back();
      page.next_page_token = page_token(points.back());
    }
    page.items.reserve(points.size());
    for (const MetricPoint& point : points) {
      page.items.push_back({std::string(key), metric_from_columns(point.value, point.is_nan),
                            point.timestamp_ms, point.step});
    }
    return page;
  });
}

}  // namespace onnxop
