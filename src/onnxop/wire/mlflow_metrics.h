#pragma once
// Metrics as MLflow's REST API has them.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/logged_models.h"
#include "onnxop/registry/runs.h"
#include "onnxop/wire/mlflow_fields.h"

namespace onnxop {

struct LogBatch {
  std::string run_id;
  RunBatch batch;
  /// Those of the metrics that name a logged model, by its id.
  std::map<std::string, std::vector<LoggedModelMetric>> of_models;
};

/// Of runs/log-batch. Throws Error{kInvalidArgument} for more than 1,000,000 bytes, 1,000 metrics,
/// 100 parameters, 100 tags or 1,000 of them together, for what is missing, and for a parameter
/// that is there twice with different values.
LogBatch parse_log_batch(std::string_view json);

/// Of runs/log-metric.
LogBatch log_metric_of(const MlflowFields& fields);

/// {"metrics": […], "next_page_token": …}
std::string metric_history_json(const Page<Metric>& page);

struct RunHistory {
  std::string run_id;
  std::vector<Metric> metrics;
};

struct HistoryInterval {
  std::optional<std::int64_t> first_step;  // with last_step or not at all
  std::optional<std::int64_t> last_step;
  std::int64_t max_results = 0;  // of one run, at least 1
};

/// What get-history-bulk-interval shows of a long history: the points in the interval, by step,
/// then time, then value; of more than max_results the same as MLflow 3: the first of each of so
/// many pieces of one size, but the very last in place of the last of them.
void thin_out(RunHistory& history, const HistoryInterval& interval);

/// {"metrics": [{…, "run_id"}, …]}
std::string run_histories_json(const std::vector<RunHistory>& histories);

}  // namespace onnxop
