// The metrics of runs: every point in run_metrics, the latest of each key in run_latest_metrics.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <soci/soci.h>

#include "onnxop/base/error.h"
#include "onnxop/registry/bulk_rows.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/run_rows.h"
#include "onnxop/registry/runs.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

// A metric as the columns take it.
struct MetricRow {
  static constexpr std::size_t kParameters = 5;

  MetricRow() = default;
  explicit MetricRow(const Metric& metric)
      : key(metric.key),
        step(metric.step),
        timestamp_ms(metric.timestamp_ms),
        value(std::isnan(metric.value) ? 0.0 : metric.value),
        is_nan(std::isnan(metric.value) ? 1 : 0) {}

  void exchange(soci::statement& statement) {
    statement.exchange(use(key));
    statement.exchange(use(step));
    statement.exchange(use(timestamp_ms));
    statement.exchange(use(value));
    statement.exchange(use(is_nan));
  }
  Metric metric() const { return {key, metric_from_columns(value, is_nan), timestamp_ms, step}; }

  std::string key;
  long long step = 0;
  long long timestamp_ms = 0;
  double value = 0;
  int is_nan = 0;
};

// The latest points by key; none where the run has none yet.
using LatestMetrics = std::map<std::string, std::optional<Metric>, std::less<>>;

// Fills in those of the keys that the run has.
void load_latest(soci::session& session, std::int64_t run, std::span<const std::string> keys,
                 LatestMetrics& latest) {
  MetricRow row;
  soci::statement select(session);
  select.exchange(into(row.key));
  select.exchange(into(row.step));
  select.exchange(into(row.timestamp_ms));
  select.exchange(into(row.value));
  select.exchange(into(row.is_nan));
  for (const std::string& key : keys) {
    select.exchange(use(key));
  }
  select.alloc();
  select.prepare(
      format("SELECT key, step, timestamp_ms, value, is_nan FROM "
             "run_latest_metrics WHERE run = {} AND key IN {}",
             run, value_list(1, keys.size(), "")));
  select.define_and_bind();
  select.execute();
  while (select.fetch()) {
    latest.find(row.key)->second = row.metric();
  }
}

// The latest points of the metrics' keys, as they are before them.
LatestMetrics load_latest(soci::session& session, std::int64_t run,
                          std::span<const Metric> metrics) {
  LatestMetrics latest;
  std::vector<std::string> keys;
  for (const Metric& metric : metrics) {
    if (latest.try_emplace(metric.key).second) {
      keys.push_back(metric.key);
    }
  }
  for (std::size_t at = 0; at < keys.size(); at += kRowsAtOnce) {
    load_latest(session, run, std::span(keys).subspan(at, std::min(kRowsAtOnce, keys.size() - at)),
                latest);
  }
  return latest;
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

// A point that is there already is the same row: a request that is sent again changes nothing.
void append_metrics(soci::session& session, std::int64_t run, std::span<const Metric> metrics) {
  LatestMetrics latest = load_latest(session, run, metrics);
  std::set<std::string_view> changed;
  std::vector<MetricRow> points;
  points.reserve(metrics.size());
  for (const Metric& metric : metrics) {
    std::optional<Metric>& before = latest.find(metric.key)->second;
    if (!before || is_later_metric(metric, *before)) {
      before = metric;
      changed.insert(metric.key);
    }
    points.emplace_back(metric);
  }
  std::sort(points.begin(), points.end(), [](const MetricRow& a, const MetricRow& b) {
    return std::tie(a.key, a.timestamp_ms, a.step) < std::tie(b.key, b.timestamp_ms, b.step);
  });
  std::vector<MetricRow> latest_rows;
  latest_rows.reserve(changed.size());
  for (const std::string_view key : changed) {
    latest_rows.emplace_back(*latest.find(key)->second);
  }
  const std::string beginning = format("{}, ", run);
  insert_rows<MetricRow>(session,
                         "INSERT INTO run_metrics (run, key, step, timestamp_ms, value, is_nan)",
                         "ON CONFLICT DO NOTHING", beginning, points);
  insert_rows<MetricRow>(
      session, "INSERT INTO run_latest_metrics (run, key, step, timestamp_ms, value, is_nan)",
      "ON CONFLICT (run, key) DO UPDATE SET step = excluded.step, "
      "timestamp_ms = excluded.timestamp_ms, value = excluded.value, is_nan = excluded.is_nan",
      beginning, latest_rows);
}

void Runs::log_metrics(std::string_view run_id, const std::vector<Metric>& metrics) {
  check_metrics(metrics);
  core_.database.write_log([&](soci::session& session) {
    append_metrics(session, find_active_run(session, core_, run_id).number, metrics);
  });
}

namespace {

// A point's place in its history, which is ordered by these; a page token is the place of the last
// point of the page before.
struct Place {
  long long timestamp_ms = std::numeric_limits<long long>::min();
  long long step = 0;
  double value = 0;
  int is_nan = 0;
};

std::string page_token(const Metric& metric) {
  const MetricRow row(metric);
  return format("{}_{}_{}_{}", row.timestamp_ms, row.step, row.value, row.is_nan);
}

Place parse_page_token(std::string_view token) {
  Place place;
  if (token.empty()) {
    return place;
  }
  const char* at = token.data();
  const char* const end = at + token.size();
  const auto read = [&](auto& number, bool last) {
    const auto [stop, error] = std::from_chars(at, end, number);
    at = stop == end ? stop : stop + 1;
    return error == std::errc() && (last ? stop == end : stop != end && *stop == '_');
  };
  if (!read(place.timestamp_ms, false) || !read(place.step, false) || !read(place.value, false) ||
      !read(place.is_nan, true) || std::isnan(place.value)) {
    fail(ErrorCode::kInvalidArgument, "'{}' is no page token of a metric's history", token);
  }
  return place;
}

// At most `most` points behind `place`.
std::vector<Metric> load_history(soci::session& session, std::int64_t run, std::string_view key,
                                 const Place& place, std::int64_t most) {
  const std::string name(key);
  const long long number = run;
  const long long limit = most;
  constexpr std::size_t kFetched = 1024;
  std::vector<long long> steps(kFetched);
  std::vector<long long> times(kFetched);
  std::vector<double> values(kFetched);
  std::vector<int> is_nan(kFetched);
  soci::statement select =
      (session.prepare << "SELECT step, timestamp_ms, value, is_nan FROM run_metrics WHERE "
                          "run = :run AND key = :key AND (timestamp_ms, step, value, is_nan) > "
                          "(:time, :step, :value, :nan) "
                          "ORDER BY timestamp_ms, step, value, is_nan LIMIT :limit",
       use(number), use(name), use(place.timestamp_ms), use(place.step), use(place.value),
       use(place.is_nan), use(limit), into(steps), into(times), into(values), into(is_nan));
  std::vector<Metric> history;
  select.execute();
  while (select.fetch()) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      history.push_back({name, metric_from_columns(values[i], is_nan[i]), times[i], steps[i]});
    }
  }
  return history;
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
  const Place place = parse_page_token(options.page_token);
  const std::int64_t most =
      options.max_results > 0 ? options.max_results : std::numeric_limits<std::int64_t>::max() - 1;
  return core_.database.read([&](soci::session& session) {
    const std::int64_t run = find_run(session, core_, run_id).number;
    Page<Metric> page;
    page.items = load_history(session, run, key, place, most + 1);
    if (std::ssize(page.items) > most) {
      page.items.pop_back();
      page.next_page_token = page_token(page.items.back());
    }
    return page;
  });
}

}  // namespace onnxop
