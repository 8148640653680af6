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

// With so many points of each metric their pages are filled well enough.
constexpr std::int64_t kPointsOfAKey = 16;

bool fill_pages(std::int64_t points, std::int64_t keys) {
  return points >= kPointsOfAKey * keys;
}

// A point with its number among those of the run that gather, or with that of its segment.
struct NumberedPoint {
  static constexpr std::size_t kParameters = MetricPoint::kParameters + 1;

  void exchange(soci::statement& statement) {
    exchange_use(statement, number);
    point.exchange(statement);
  }

  long long number = 0;
  MetricPoint point;
};

// Statements about one run, which the session keeps by their text.

struct NumberOfRun {
  NumberOfRun(Session& session, const std::string& sql)
      : statement((session.prepare << sql, use(run), into(number))) {}

  long long run = 0;
  long long number = 0;
  soci::statement statement;
};

std::int64_t number_of_run(Session& session, const std::string& sql, std::int64_t run) {
  auto& select = session.kept<NumberOfRun>(sql, [&] { return NumberOfRun(session, sql); });
  select.run = run;
  select.statement.execute();
  std::int64_t number = 0;
  while (select.statement.fetch()) {
    number = select.number;
  }
  return number;
}

struct ChangeOfRun {
  ChangeOfRun(Session& session, const std::string& sql)
      : statement((session.prepare << sql, use(run))) {}

  long long run = 0;
  soci::statement statement;
};

void change_of_run(Session& session, const std::string& sql, std::int64_t run) {
  auto& change = session.kept<ChangeOfRun>(sql, [&] { return ChangeOfRun(session, sql); });
  change.run = run;
  change.statement.execute(true);
}

std::int64_t last_segment(Session& session, std::int64_t run) {
  return number_of_run(
      session, "SELECT COALESCE(MAX(segment), 0) FROM run_metric_segments WHERE run = :run", run);
}

void delete_recent(Session& session, std::int64_t run) {
  change_of_run(session, "DELETE FROM run_recent_metrics WHERE run = :run", run);
}

std::int64_t count_keys(std::span<const MetricPoint> sorted) {
  std::int64_t keys = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    keys += i == 0 || sorted[i].key != sorted[i - 1].key ? 1 : 0;
  }
  return keys;
}

struct MakeSegment {
  explicit MakeSegment(Session& session)
      : statement((session.prepare
                       << "INSERT INTO run_metric_segments (run, segment, key, timestamp_ms, step, "
                          "value, is_nan) SELECT run, :segment, key, timestamp_ms, step, value, "
                          "is_nan FROM run_recent_metrics WHERE run = :run ORDER BY key, "
                          "timestamp_ms, step, value, is_nan ON CONFLICT DO NOTHING",
                   use(segment, "segment"), use(run, "run"))) {}

  long long run = 0;
  long long segment = 0;
  soci::statement statement;
};

// Of all that has gathered.
void make_segment(Session& session, std::int64_t run) {
  auto& make = session.kept<MakeSegment>();
  make.segment = last_segment(session, run) + 1;
  make.run = run;
  make.statement.execute(true);
  delete_recent(session, run);
}

std::vector<NumberedPoint> with_numbers(const std::vector<MetricPoint>& points, std::int64_t first,
                                        std::int64_t step) {
  std::vector<NumberedPoint> rows;
  rows.reserve(points.size());
  for (const MetricPoint& point : points) {
    rows.push_back({first + step * std::ssize(rows), point});
  }
  return rows;
}

void insert_segment(Session& session, std::int64_t run, const std::vector<MetricPoint>& points) {
  insert_rows<NumberedPoint>(session,
                             "INSERT INTO run_metric_segments (segment, run, key, timestamp_ms, "
                             "step, value, is_nan)",
                             "ON CONFLICT DO NOTHING",
                             with_numbers(points, last_segment(session, run) + 1, 0));
}

// `keys`: of these points.
void gather(Session& session, std::int64_t run, const std::vector<MetricPoint>& points,
            std::int64_t keys) {
  const std::int64_t last = number_of_run(
      session, "SELECT COALESCE(MAX(number), 0) FROM run_recent_metrics WHERE run = :run", run);
  insert_rows<NumberedPoint>(session,
                             "INSERT INTO run_recent_metrics (number, run, key, timestamp_ms, "
                             "step, value, is_nan)",
                             "", with_numbers(points, last + 1, 1));
  const std::int64_t gathered = last + std::ssize(points);
  if (gathered < kMostRecentPoints) {
    return;
  }
  const auto all_keys = [&] {
    return number_of_run(
        session, "SELECT COUNT(DISTINCT key) FROM run_recent_metrics WHERE run = :run", run);
  };
  if (fill_pages(gathered, keys) && fill_pages(gathered, all_keys())) {
    settle_points(session, run);
  } else {
    make_segment(session, run);
  }
}

// `select`: "SELECT … FROM … WHERE " of the points' columns; "SELECT DISTINCT" where a point may be
// twice, or a page would be full of one point.
std::vector<MetricPoint> load_from(Session& session, std::string_view select_where,
                                   const MetricPoint& after, std::int64_t most) {
  constexpr std::size_t kFetched = 1024;
  const long long limit = most;
  std::vector<long long> times(kFetched);
  std::vector<long long> steps(kFetched);
  std::vector<double> values(kFetched);
  std::vector<int> is_nan(kFetched);
  soci::statement select =
      (session.prepare << select_where
                       << " run = :run AND key = :key AND (timestamp_ms, step, value, is_nan) > "
                          "(:time, :step, :value, :nan) "
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

// In each of the segments, from the first to the last, a look for the metric.
std::vector<MetricPoint> load_from_segments(Session& session, const MetricPoint& after,
                                            std::int64_t most) {
  const std::int64_t last = last_segment(session, after.run);
  if (last == 0) {
    return {};
  }
  return load_from(session,
                   format("WITH RECURSIVE numbers (number) AS (SELECT CAST(1 AS BIGINT) UNION ALL "
                          "SELECT number + 1 FROM numbers WHERE number < {}) SELECT DISTINCT "
                          "timestamp_ms, step, value, is_nan FROM numbers CROSS JOIN "
                          "run_metric_segments WHERE segment = numbers.number AND",
                          last),
                   after, most);
}

std::vector<MetricPoint> merged(const std::vector<MetricPoint>& a,
                                const std::vector<MetricPoint>& b) {
  std::vector<MetricPoint> points;
  points.reserve(a.size() + b.size());
  std::ranges::merge(a, b, std::back_inserter(points), {}, &MetricPoint::place,
                     &MetricPoint::place);
  return points;
}

}  // namespace

void MetricPoint::exchange(soci::statement& statement) {
  exchange_use(statement, run, key, timestamp_ms, step, value, is_nan);
}

void append_points(Session& session, std::int64_t run, std::vector<MetricPoint> points) {
  std::ranges::sort(points, [](const MetricPoint& a, const MetricPoint& b) {
    return std::tuple_cat(std::tie(a.key), a.place()) < std::tuple_cat(std::tie(b.key), b.place());
  });
  const std::int64_t keys = count_keys(points);
  if (fill_pages(std::ssize(points), keys)) {
    insert_rows<MetricPoint>(
        session, "INSERT INTO run_metrics (run, key, timestamp_ms, step, value, is_nan)",
        "ON CONFLICT DO NOTHING", points);
  } else if (std::ssize(points) < kMostRecentPoints) {
    gather(session, run, points, keys);
  } else {
    insert_segment(session, run, points);
  }
}

void settle_points(Session& session, std::int64_t run) {
  change_of_run(session,
                "INSERT INTO run_metrics (run, key, timestamp_ms, step, value, is_nan) SELECT run, "
                "key, timestamp_ms, step, value, is_nan FROM run_recent_metrics WHERE run = :run "
                "ORDER BY key, timestamp_ms, step, value, is_nan ON CONFLICT DO NOTHING",
                run);
  delete_recent(session, run);
}

void discard_points(Session& session, std::int64_t run) {
  change_of_run(session, "DELETE FROM run_metric_segments WHERE run = :run", run);
  delete_recent(session, run);
}

std::vector<MetricPoint> load_points(Session& session, const MetricPoint& after,
                                     std::int64_t most) {
  constexpr std::string_view kColumns = "timestamp_ms, step, value, is_nan";
  std::vector<MetricPoint> points =
      load_from(session, format("SELECT {} FROM run_metrics WHERE", kColumns), after, most);
  const auto others = merged(
      load_from_segments(session, after, most),
      load_from(session, format("SELECT DISTINCT {} FROM run_recent_metrics WHERE", kColumns),
                after, most));
  if (others.empty()) {
    return points;
  }
  points = merged(points, others);
  points.erase(std::unique(points.begin(), points.end(),
                           [](const MetricPoint& a, const MetricPoint& b) {
                             return a.place() == b.place();
                           }),
               points.end());
  points.resize(std::min(points.size(), static_cast<std::size_t>(most)));
  return points;
}

}  // namespace onnxop
