#pragma once
// Where the points of the runs' metrics lie. A metric's points lie together, ordered as a history
// is (run_metrics): read fast, but a batch of many metrics would write a page for each of them. So
// such batches gather behind each other first (run_recent_metrics). A thousand of their points move
// to run_metrics where they are of few metrics, and else become a segment of the run
// (run_metric_segments), in which a metric's lie together: few pages, one behind the other. A
// history is merged from all three. No part of the room's interface; inside a transaction.

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "onnxop/registry/session.h"

namespace onnxop {

/// When so many points of a run have gathered, they move.
inline constexpr std::int64_t kMostRecentPoints = 1000;

/// A point, as the columns of the tables take it: SQLite has no NaN.
struct MetricPoint {
  static constexpr std::size_t kParameters = 6;

  void exchange(soci::statement& statement);
  /// A history's order.
  auto place() const { return std::tie(timestamp_ms, step, value, is_nan); }

  long long run = 0;
  std::string key;
  long long timestamp_ms = 0;
  long long step = 0;
  double value = 0;
  int is_nan = 0;
};

/// Adds points of one run. One that is there already is the same one: it is found once.
void append_points(Session& session, std::int64_t run, std::vector<MetricPoint> points);

/// Moves what has gathered to run_metrics: the run has ended.
void settle_points(Session& session, std::int64_t run);

/// Of a run that is only made now: an older program that removed one with its number does not know
/// of these.
void discard_points(Session& session, std::int64_t run);

/// At most `most` points of a metric behind `after`, whose run and key they have.
std::vector<MetricPoint> load_points(Session& session, const MetricPoint& after, std::int64_t most);

}  // namespace onnxop
