// The Registry's metrics.

#include <cmath>
#include <tuple>

#include <soci/soci.h>

#include "onnxop/registry/registry_impl.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

// Latest is what has the largest time, then step, then value; NaN is less than any value.
bool is_later(const Metric& metric, const Metric& than) {
  const auto rank = [](const Metric& m) {
    const bool number = !std::isnan(m.value);
    return std::tuple(m.timestamp_ms, m.step, number, number ? m.value : 0.0);
  };
  return rank(metric) > rank(than);
}

// One key's points of a batch, appended to its history.
class MetricWriter {
 public:
  MetricWriter(soci::session& session, std::string run_id, std::string key)
      : session_(session), run_id_(std::move(run_id)), key_(std::move(key)) {
    long long step = 0;
    long long timestamp_ms = 0;
    double value = 0;
    int is_nan = 0;
    session_ << "SELECT points, step, timestamp_ms, value, is_nan FROM latest_metrics "
                "WHERE run_id = :run AND key = :key",
        use(run_id_), use(key_), into(points_), into(step), into(timestamp_ms), into(value),
        into(is_nan);
    known_ = session_.got_data();
    if (known_) {
      latest_ = {key_, metric_from_columns(value, is_nan), timestamp_ms, step};
    }
  }

  void append(const Metric& metric) {
    if (points_ == 0 || is_later(metric, latest_)) {
      latest_ = metric;
    }
    bind(metric);
    if (!insert_) {
      insert_.emplace((session_.prepare
                           << "INSERT INTO metrics (run_id, key, point, step, "
                              "timestamp_ms, value, is_nan) "
                              "VALUES (:run, :key, :point, :step, :time, :value, :nan)",
                       use(run_id_), use(key_), use(points_), use(step_), use(timestamp_ms_),
                       use(value_), use(is_nan_)));
    }
    insert_->execute(true);
    ++points_;
  }

  void finish() {
    bind(latest_);
    if (known_) {
      session_ << "UPDATE latest_metrics SET points = :points, step = :step, timestamp_ms = :time, "
                  "value = :value, is_nan = :nan WHERE run_id = :run AND key = :key",
          use(points_), use(step_), use(timestamp_ms_), use(value_), use(is_nan_), use(run_id_),
          use(key_);
    } else {
      session_ << "INSERT INTO latest_metrics (run_id, key, points, step, timestamp_ms, value, "
                  "is_nan) VALUES (:run, :key, :points, :step, :time, :value, :nan)",
          use(run_id_), use(key_), use(points_), use(step_), use(timestamp_ms_), use(value_),
          use(is_nan_);
    }
  }

 private:
  void bind(const Metric& metric) {
    step_ = metric.step;
    timestamp_ms_ = metric.timestamp_ms;
    is_nan_ = std::isnan(metric.value) ? 1 : 0;
    value_ = is_nan_ != 0 ? 0.0 : metric.value;
  }

  soci::session& session_;
  std::string run_id_, key_;
  bool known_ = false;
  long long points_ = 0;
  Metric latest_;
  long long step_ = 0, timestamp_ms_ = 0;
  double value_ = 0;
  int is_nan_ = 0;
  std::optional<soci::statement> insert_;
};

}  // namespace

double metric_from_columns(double value, int is_nan) {
  return is_nan != 0 ? std::nan("") : value;
}

void Registry::log_metrics(std::string_view run_id, const std::vector<Metric>& metrics) {
  const std::string run(run_id);
  impl_->database.write([&](soci::session& session) {
    impl_->require_run(session, run);
    std::map<std::string, MetricWriter> writers;
    for (const Metric& metric : metrics) {
      check_key("metric", metric.key);
      writers.try_emplace(metric.key, session, run, metric.key).first->second.append(metric);
    }
    for (auto& [key, writer] : writers) {
      writer.finish();
    }
  });
}

std::vector<Metric> Registry::metric_history(std::string_view run_id, std::string_view key) const {
  const std::string run(run_id);
  const std::string name(key);
  return impl_->database.read([&](soci::session& session) {
    impl_->require_run(session, run);
    std::vector<Metric> history;
    long long step = 0;
    long long timestamp_ms = 0;
    double value = 0;
    int is_nan = 0;
    soci::statement select =
        (session.prepare << "SELECT step, timestamp_ms, value, is_nan FROM metrics "
                            "WHERE run_id = :run AND key = :key ORDER BY point",
         use(run), use(name), into(step), into(timestamp_ms), into(value), into(is_nan));
    select.execute();
    while (select.fetch()) {
      history.push_back({name, metric_from_columns(value, is_nan), timestamp_ms, step});
    }
    return history;
  });
}

}  // namespace onnxop
