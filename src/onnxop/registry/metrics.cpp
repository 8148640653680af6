// The metrics of runs: every point in run_metrics, the latest of each key in run_latest_metrics.

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include <soci/soci.h>

#include "onnxop/base/error.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/run_rows.h"
#include "onnxop/registry/runs.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

// A metric as the columns take it.
struct MetricColumns {
  void set(const Metric& metric) {
    step = metric.step;
    timestamp_ms = metric.timestamp_ms;
    is_nan = std::isnan(metric.value) ? 1 : 0;
    value = is_nan != 0 ? 0.0 : metric.value;
  }
  Metric get(const std::string& key) const {
    return {key, metric_from_columns(value, is_nan), timestamp_ms, step};
  }

  long long step = 0;
  long long timestamp_ms = 0;
  double value = 0;
  int is_nan = 0;
};

// Appends one key after the other, with statements that are prepared once.
class MetricWriter {
 public:
  MetricWriter(soci::session& session, std::int64_t run)
      : run_(run),
        find_latest_((session.prepare << "SELECT points, step, timestamp_ms, value, is_nan FROM "
                                         "run_latest_metrics WHERE run = :run AND key = :key",
                      use(run_), use(key_), into(points_), into(found_.step),
                      into(found_.timestamp_ms), into(found_.value), into(found_.is_nan))),
        insert_point_((session.prepare
                           << "INSERT INTO run_metrics (run, key, point, step, timestamp_ms, "
                              "value, is_nan) VALUES (:run, :key, :point, :step, :time, :value, "
                              ":nan)",
                       use(run_), use(key_), use(points_), use(point_.step),
                       use(point_.timestamp_ms), use(point_.value), use(point_.is_nan))),
        set_latest_((session.prepare
                         << "INSERT INTO run_latest_metrics (run, key, points, step, "
                            "timestamp_ms, value, is_nan) VALUES (:run, :key, :points, :step, "
                            ":time, :value, :nan) ON CONFLICT (run, key) DO UPDATE SET "
                            "points = excluded.points, step = excluded.step, timestamp_ms = "
                            "excluded.timestamp_ms, value = excluded.value, "
                            "is_nan = excluded.is_nan",
                     use(run_), use(key_), use(points_), use(point_.step), use(point_.timestamp_ms),
                     use(point_.value), use(point_.is_nan))) {}

  void append(std::string_view key, const std::vector<const Metric*>& metrics) {
    key_ = key;
    const bool known = find_latest_.execute(true);
    if (!known) {
      points_ = 0;
    }
    Metric latest = known ? found_.get(key_) : *metrics.front();
    for (const Metric* metric : metrics) {
      if (is_later_metric(*metric, latest)) {
        latest = *metric;
      }
      point_.set(*metric);
      insert_point_.execute(true);
      ++points_;
    }
    point_.set(latest);
    set_latest_.execute(true);
  }

 private:
  long long run_;
  std::string key_;
  long long points_ = 0;
  MetricColumns found_;
  MetricColumns point_;
  soci::statement find_latest_;
  soci::statement insert_point_;
  soci::statement set_latest_;
};

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

void append_metrics(soci::session& session, std::int64_t run, std::span<const Metric> metrics) {
  if (metrics.empty()) {
    return;
  }
  std::map<std::string_view, std::vector<const Metric*>> by_key;
  for (const Metric& metric : metrics) {
    by_key[metric.key].push_back(&metric);
  }
  MetricWriter writer(session, run);
  for (const auto& [key, points] : by_key) {
    writer.append(key, points);
  }
}

void Runs::log_metrics(std::string_view run_id, const std::vector<Metric>& metrics) {
  check_metrics(metrics);
  core_.database.write([&](soci::session& session) {
    append_metrics(session, find_active_run(session, core_, run_id).number, metrics);
  });
}

namespace {

// Points from the `first` on, `limit` at most (0: all).
std::vector<Metric> load_history(soci::session& session, std::int64_t run, std::string_view key,
                                 std::int64_t first, std::int64_t limit) {
  const std::string name(key);
  const long long number = run;
  const long long from = first;
  const long long end = limit > 0 ? first + limit : std::numeric_limits<long long>::max();
  std::vector<Metric> history;
  MetricColumns point;
  soci::statement select =
      (session.prepare << "SELECT step, timestamp_ms, value, is_nan FROM run_metrics WHERE "
                          "run = :run AND key = :key AND point >= :first AND point < :end "
                          "ORDER BY point",
       use(number), use(name), use(from), use(end), into(point.step), into(point.timestamp_ms),
       into(point.value), into(point.is_nan));
  select.execute();
  while (select.fetch()) {
    history.push_back(point.get(name));
  }
  return history;
}

std::int64_t parse_page_token(std::string_view token) {
  std::int64_t first = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), first);
  if (!token.empty() && (error != std::errc() || end != token.data() + token.size() || first < 0)) {
    fail(ErrorCode::kInvalidArgument, "'{}' is no page token of a metric's history", token);
  }
  return first;
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
  const std::int64_t first = parse_page_token(options.page_token);
  return core_.database.read([&](soci::session& session) {
    const std::int64_t run = find_run(session, core_, run_id).number;
    Page<Metric> page;
    const std::int64_t limit = options.max_results > 0 ? options.max_results + 1 : 0;
    page.items = load_history(session, run, key, first, limit);
    if (limit > 0 && std::ssize(page.items) == limit) {
      page.items.pop_back();
      page.next_page_token = std::to_string(first + options.max_results);
    }
    return page;
  });
}

}  // namespace onnxop
