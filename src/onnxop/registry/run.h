#pragma once
// What is known of experiments, runs and what they used and made: plain values, named as in MLflow.
// Times are milliseconds since 1970 UTC.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onnxop {

enum class RunStatus { kRunning, kFinished, kFailed, kKilled, kScheduled };
std::string_view run_status_name(RunStatus status);  // MLflow's: "RUNNING", …
/// Throws Error{kInvalidArgument} for a name that is none.
RunStatus parse_run_status(std::string_view name);

enum class LifecycleStage { kActive, kDeleted };
std::string_view lifecycle_stage_name(LifecycleStage stage);  // "active", "deleted"

enum class ViewType { kActiveOnly, kDeletedOnly, kAll };

using Texts = std::map<std::string, std::string>;

constexpr std::int64_t kDefaultExperiment = 0;  // named "Default"; always there

struct Experiment {
  std::int64_t experiment_id = kDefaultExperiment;
  std::string name = {};
  LifecycleStage lifecycle_stage = LifecycleStage::kActive;
  std::string artifact_folder = {};  // among the artifacts; where nothing was said, its number
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  Texts tags = {};
};

struct Metric {
  std::string key = {};
  double value = 0;  // NaN and infinities too
  std::int64_t timestamp_ms = 0;
  std::int64_t step = 0;
};

/// A data set, known by name and digest within its experiment.
struct DatasetInfo {
  std::string name = {};
  std::string digest = {};
  std::string source_type = {};
  std::string source = {};
  std::string schema = {};   // "": unknown
  std::string profile = {};  // "": unknown
};

struct DatasetInput {
  DatasetInfo dataset = {};
  Texts tags = {};  // "mlflow.data.context": "training"
};

/// A logged model (logged_models.h) that a run read or made.
struct RunModel {
  std::string model_id = {};
  std::int64_t step = 0;  // of outputs
};

struct Run {
  std::string run_id = {};  // 32 hex digits
  std::int64_t experiment_id = kDefaultExperiment;
  std::string experiment_folder = {};  // Experiment::artifact_folder
  std::string name = {};
  std::string user_id = {};
  RunStatus status = RunStatus::kRunning;
  LifecycleStage lifecycle_stage = LifecycleStage::kActive;
  std::int64_t start_time_ms = 0;
  std::optional<std::int64_t> end_time_ms = {};
  Texts params = {};
  std::map<std::string, Metric> metrics = {};  // the latest of each key
  Texts tags = {};
  std::vector<DatasetInput> dataset_inputs = {};
  std::vector<RunModel> model_inputs = {};
  std::vector<RunModel> model_outputs = {};
};

/// One page of a search. `next_page_token` is empty on the last one.
template <typename T>
struct Page {
  std::vector<T> items = {};
  std::string next_page_token = {};
};

}  // namespace onnxop
