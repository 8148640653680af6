// Histories of metrics over MLflow's REST API.

#include "onnxop/base/error.h"
#include "onnxop/server/mlflow_table.h"
#include "onnxop/wire/mlflow_metrics.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMostOfPage = 1'000'000;
constexpr std::int64_t kMostOfRun = 2500;  // of an interval
constexpr std::size_t kMostRuns = 100;

std::string history(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  const std::string key = fields.required("metric_key");
  MetricHistoryOptions options;
  if (fields.has("max_results")) {
    options.max_results = fields.max_results(kMostOfPage, kMostOfPage);
    options.page_token = fields.text("page_token");
  }
  return metric_history_json(
      call.registry().runs().metric_history_page(fields.run_id(), key, options));
}

std::string interval(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  const std::vector<std::string> run_ids = fields.texts("run_ids");
  const std::string key = fields.required("metric_key");
  HistoryInterval wanted;
  wanted.first_step = fields.integer("start_step");
  wanted.last_step = fields.integer("end_step");
  wanted.max_results = fields.max_results(kMostOfRun, kMostOfRun);
  if (run_ids.empty()) {
    fail_missing_parameter("run_ids");
  }
  if (run_ids.size() > kMostRuns) {
    fail(ErrorCode::kInvalidArgument, "run_ids: got {} of them, expected at most {}",
         run_ids.size(), kMostRuns);
  }
  if (wanted.first_step.has_value() != wanted.last_step.has_value() ||
      wanted.first_step > wanted.last_step) {
    fail(ErrorCode::kInvalidArgument,
         "start_step and end_step: expected both or none, the end not before the start");
  }
  std::vector<RunHistory> histories;
  for (const std::string& id : run_ids) {
    histories.push_back({id, call.registry().runs().metric_history(id, key)});
    thin_out(histories.back(), wanted);
  }
  return run_histories_json(histories);
}

}  // namespace

void add_mlflow_metrics(MlflowTable& table) {
  table.add({"GET", "metrics/get-history", "getMetricHistory", "All points of a metric of a run"},
            history);
  table.add({"GET", "metrics/get-history-bulk-interval", "getMetricHistoryBulkInterval",
             "Points of a metric of several runs, thinned out"},
            interval);
}

}  // namespace onnxop
