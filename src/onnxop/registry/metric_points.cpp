#include "onnxop/registry/metric_points.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "onnxop/base/format.h"
#include "onnxop/registry/bulk_rows.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

// A batch with so many points of each of its metrics fills their pages well enough.
constexpr std::size_t kPointsOfAKey = 16;

// A point that gathers: with its number among those of the run.
struct RecentPoint {
  static constexpr std::size_t kParameters = MetricPoint::kParameters + 1;

  void exchange(soci::statement& statement) {
    statement.exchange(use(number));
    point.exchange(statement);
  }

  long long number = 0;
  MetricPoint point;
};

struct LastRecent {
  explicit LastRecent(Session& session)
      : statement((session.prepare << "SELECT COALESCE(MAX(number), 0) FROM run_recent_metrics "
                                      "WHERE run = :run",
                   use(run), into(last))) {}

  long long run = 0;
  long long last = 0;
  soci::statement statement;
};

std::int64_t last_recent(Session& session, std::int64_t run) {
  auto& select = session.kept<LastRecent>();
  select.run = run;
  select.statement.execute();
  std::int64_t last = 0;
  while (select.statement.fetch()) {
    last = select.last;
  }
  return last;
}

std::size_t count_keys(std::span<const MetricPoint> sorted) {
  std::size_t keys = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    keys += i == 0 || sorted[i].key != sorted[i - 1].key ? 1 : 0;
  }
  return keys;
}

void gather(Session& session, std::int64_t run, const std::vector<MetricPoint>& points) {
  std::int64_t last = last_recent(session, run);
  if (last + std::ssize(points) > kMostRecentPoints) {
    settle_points(session, run);
    last = 0;
  }
  std::vector<RecentPoint> rows;
  rows.reserve(points.size());
  for (const MetricPoint& point : points) {
    rows.push_back({++last, point});
  }
  insert_rows<RecentPoint>(session,
                           "INSERT INTO run_recent_metrics (number, run, key, timestamp_ms, step, "
                           "value, is_nan)",
                           "", rows);
}

// `columns_of`: "SELECT", or where a point may be twice "SELECT DISTINCT", or a page would be full
// of one point.
std::vector<MetricPoint> load_from(Session& session, std::string_view columns_of,
                                   std::string_view table, const MetricPoint& after,
                                   std::int64_t most) {
  constexpr std::size_t kFetched = 1024;
  const long long limit = most;
  std::vector<long long> times(kFetched);
  std::vector<long long> steps(kFetched);
  std::vector<double> values(kFetched);
  std::vector<int> is_nan(kFetched);
  soci::statement select =
      (session.prepare << columns_of << " timestamp_ms, step, value, is_nan FROM " << table
                       << " WHERE run = :run AND key = :key AND (timestamp_ms, step, value, is_nan)"
                          " > (:time, :step, :value, :nan) "
                          "ORDER BY timestamp_ms, step, value, is_nan LIMIT :limit",
       use(after.run), use(after.key), use(after.timestamp_ms), use(after.step), use(after.value),
       use(after.is_nan), use(limit), into(times), into(steps), into(values), into(is_nan));
  std::vector<MetricPoint> points;
  select.execute();
  while (select.fetch()) {
    for (std::size_t i = 0; i < times.size(); ++i) {
      points.push_back({after.run, after.key, times[i], steps[i], values[i], is_nan[i]});
    }
  }
  return points;
}

}  // namespace

void MetricPoint::exchange(soci::statement& statement) {
  statement.exchange(use(run));
  statement.exchange(use(key));
  statement.exchange(use(timestamp_ms));
  statement.exchange(use(step));
  statement.exchange(use(value));
  statement.exchange(use(is_nan));
}

void append_points(Session& session, std::int64_t run, std::vector<MetricPoint> points) {
  std::ranges::sort(points, [](const MetricPoint& a, const MetricPoint& b) {
    return std::tuple_cat(std::tie(a.key), a.place()) < std::tuple_cat(std::tie(b.key), b.place());
  });
  if (points.size() < kPointsOfAKey * count_keys(points) &&
      std::ssize(points) < kMostRecentPoints) {
    gather(session, run, points);
    return;
  }
  insert_rows<MetricPoint>(session,
                           "INSERT INTO run_metrics (run, key, timestamp_ms, step, value, is_nan)",
                           "ON CONFLICT DO NOTHING", points);
}

void settle_points(Session& session, std::int64_t run) {
  const long long number = run;
  session << "INSERT INTO run_metrics (run, key, timestamp_ms, step, value, is_nan) SELECT run, "
             "key, timestamp_ms, step, value, is_nan FROM run_recent_metrics WHERE run = :run "
             "ORDER BY key, timestamp_ms, step, value, is_nan ON CONFLICT DO NOTHING",
      use(number);
  session << "DELETE FROM run_recent_metrics WHERE run = :run", use(number);
}

std::vector<MetricPoint> load_points(Session& session, const MetricPoint& after,
                                     std::int64_t most) {
  std::vector<MetricPoint> settled = load_from(session, "SELECT", "run_metrics", after, most);
  const std::vector<MetricPoint> recent =
      load_from(session, "SELECT DISTINCT", "run_recent_metrics", after, most);
  if (recent.empty()) {
    return settled;
  }
  std::vector<MetricPoint> points;
  points.reserve(settled.size() + recent.size());
  std::ranges::merge(settled, recent, std::back_inserter(points), {}, &MetricPoint::place,
                     &MetricPoint::place);
  points.erase(std::unique(points.begin(), points.end(),
                           [](const MetricPoint& a, const MetricPoint& b) {
                             return a.place() == b.place();
                           }),
               points.end());
  points.resize(std::min(points.size(), static_cast<std::size_t>(most)));
  return points;
}

}  // namespace onnxop
