// The metrics of runs: every point in run_metrics, the latest of each key in run_latest_metrics.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
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

// A metric as the columns take it, with its place in the history or the number of points.
struct MetricRow {
  static constexpr std::size_t kParameters = 6;

  MetricRow() = default;
  MetricRow(const Metric& metric, long long count)
      : key(metric.key),
        points(count),
        step(metric.step),
        timestamp_ms(metric.timestamp_ms),
        value(std::isnan(metric.value) ? 0.0 : metric.value),
        is_nan(std::isnan(metric.value) ? 1 : 0) {}

  void exchange(soci::statement& statement) {
    statement.exchange(use(key));
    statement.exchange(use(points));
    statement.exchange(use(step));
    statement.exchange(use(timestamp_ms));
    statement.exchange(use(value));
    statement.exchange(use(is_nan));
  }
  Metric metric() const { return {key, metric_from_columns(value, is_nan), timestamp_ms, step}; }

  std::string key;
  long long points = 0;
  long long step = 0;
  long long timestamp_ms = 0;
  double value = 0;
  int is_nan = 0;
};

// What a run's metric is at: the number of its points, and the latest.
struct MetricState {
  long long points = 0;
  Metric latest;
};

using MetricStates = std::map<std::string, MetricState, std::less<>>;

// Fills in the states of those of the keys that the run has.
void load_states(soci::session& session, std::int64_t run, std::span<const std::string> keys,
                 MetricStates& states) {
  MetricRow row;
  soci::statement select(session);
  select.exchange(into(row.key));
  select.exchange(into(row.points));
  select.exchange(into(row.step));
  select.exchange(into(row.timestamp_ms));
  select.exchange(into(row.value));
  select.exchange(into(row.is_nan));
  for (const std::string& key : keys) {
    select.exchange(use(key));
  }
  select.alloc();
  select.prepare(
      format("SELECT key, points, step, timestamp_ms, value, is_nan FROM "
             "run_latest_metrics WHERE run = {} AND key IN {}",
             run, value_list(1, keys.size(), "")));
  select.define_and_bind();
  select.execute();
  while (select.fetch()) {
    states.find(row.key)->second = {row.points, row.metric()};
  }
}

// The states of the metrics' keys, as they are before them.
MetricStates load_states(soci::session& session, std::int64_t run,
                         std::span<const Metric> metrics) {
  MetricStates states;
  std::vector<std::string> keys;
  for (const Metric& metric : metrics) {
    if (states.try_emplace(metric.key).second) {
      keys.push_back(metric.key);
    }
  }
  for (std::size_t at = 0; at < keys.size(); at += kRowsAtOnce) {
    load_states(session, run, std::span(keys).subspan(at, std::min(kRowsAtOnce, keys.size() - at)),
                states);
  }
  return states;
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

void append_metrics(soci::session& session, std::int64_t run, std::span<const Metric> metrics) {
  MetricStates states = load_states(session, run, metrics);
  std::vector<MetricRow> points;
  points.reserve(metrics.size());
  for (const Metric& metric : metrics) {
    MetricState& state = states.find(metric.key)->second;
    if (state.points == 0 || is_later_metric(metric, state.latest)) {
      state.latest = metric;
    }
    points.emplace_back(metric, state.points++);
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const MetricRow& a, const MetricRow& b) { return a.key < b.key; });
  std::vector<MetricRow> latest;
  latest.reserve(states.size());
  for (const auto& [key, state] : states) {
    latest.emplace_back(state.latest, state.points);
  }
  const std::string beginning = format("{}, ", run);
  insert_rows<MetricRow>(
      session, "INSERT INTO run_metrics (run, key, point, step, timestamp_ms, value, is_nan)", "",
      beginning, points);
  insert_rows<MetricRow>(
      session,
      "INSERT INTO run_latest_metrics (run, key, points, step, timestamp_ms, value, is_nan)",
      "ON CONFLICT (run, key) DO UPDATE SET points = excluded.points, step = excluded.step, "
      "timestamp_ms = excluded.timestamp_ms, value = excluded.value, is_nan = excluded.is_nan",
      beginning, latest);
}

void Runs::log_metrics(std::string_view run_id, const std::vector<Metric>& metrics) {
  check_metrics(metrics);
  core_.database.write([&](soci::session& session) {
    append_metrics(session, find_active_run(session, core_, run_id).number, metrics);
  });
}

namespace {

// How many points the metric has.
std::int64_t count_points(soci::session& session, std::int64_t run, std::string_view key) {
  const std::string name(key);
  const long long number = run;
  long long points = 0;
  session << "SELECT points FROM run_latest_metrics WHERE run = :run AND key = :key", use(number),
      use(name), into(points);
  return session.got_data() ? points : 0;
}

// `count` points, from the `first` on.
std::vector<Metric> load_history(soci::session& session, std::int64_t run, std::string_view key,
                                 std::int64_t first, std::int64_t count) {
  const std::string name(key);
  const long long number = run;
  const long long from = first;
  const long long end = first + count;
  constexpr std::size_t kFetched = 1024;
  std::vector<long long> steps(kFetched);
  std::vector<long long> times(kFetched);
  std::vector<double> values(kFetched);
  std::vector<int> is_nan(kFetched);
  soci::statement select =
      (session.prepare << "SELECT step, timestamp_ms, value, is_nan FROM run_metrics WHERE "
                          "run = :run AND key = :key AND point >= :first AND point < :end "
                          "ORDER BY point",
       use(number), use(name), use(from), use(end), into(steps), into(times), into(values),
       into(is_nan));
  std::vector<Metric> history;
  history.reserve(static_cast<std::size_t>(count));
  select.execute();
  while (select.fetch()) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      history.push_back({name, metric_from_columns(values[i], is_nan[i]), times[i], steps[i]});
    }
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
    const std::int64_t left = std::max<std::int64_t>(count_points(session, run, key) - first, 0);
    const std::int64_t count = options.max_results > 0 ? std::min(options.max_results, left) : left;
    Page<Metric> page;
    page.items = load_history(session, run, key, first, count);
    if (count < left) {
      page.next_page_token = std::to_string(first + count);
    }
    return page;
  });
}

}  // namespace onnxop
