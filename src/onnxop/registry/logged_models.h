#pragma once
// MLflow 3's logged models: what a run made, with parameters and metrics of its own, before (and
// whether or not) it is registered. Belongs to its Registry: one thread at a time. Where nothing
// else is said, methods throw Error{kNotFound} for a model that is not there.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/removed.h"
#include "onnxop/registry/run.h"
#include "onnxop/registry/search.h"

namespace onnxop {

struct RegistryCore;

/// A metric of a model, as the run that evaluated it logged it.
struct LoggedModelMetric {
  Metric metric = {};
  std::string run_id = {};
  std::string dataset_name = {};    // "": none
  std::string dataset_digest = {};  // "": none
};

struct LoggedModel {
  std::string model_id = {};  // "m-" and 32 hex digits
  std::int64_t experiment_id = kDefaultExperiment;
  std::string experiment_folder = {};  // Experiment::artifact_folder
  std::string name = {};
  std::string source_run_id = {};
  std::string status = {};  // MLflow's: "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", …
  std::string model_type = {};
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  Texts params = {};
  Texts tags = {};
  std::vector<LoggedModelMetric> metrics = {};
};

/// On which data sets the metrics of a search were measured.
struct MetricDatasets {
  /// Of the filter: one of them must do; none: any, and metrics without. Where the filter asks for
  /// no metric, models with any metric on one of them are found.
  std::vector<MetricDataset> filter = {};
  /// Of the order_by with the same index, where there are so many; without a name: any.
  std::vector<MetricDataset> order_by = {};
};

class LoggedModels {
 public:
  explicit LoggedModels(RegistryCore& core) : core_(core) {}

  /// Of `model`, id, times, folder and metrics are set here, and the status is
  /// LOGGED_MODEL_PENDING; a name is made up for an empty one. Throws Error{kInvalidArgument} for a
  /// name with one of / : . % " ' in it, {kFailedPrecondition} for a deleted experiment.
  LoggedModel create(const LoggedModel& model);
  LoggedModel get(std::string_view model_id) const;
  LoggedModel finalize(std::string_view model_id, std::string_view status);
  void remove(std::string_view model_id);  // marks it deleted; again is fine, and changes nothing
  /// Removes for good the deleted models (all, or those deleted before that time), with their
  /// parameters, tags, metrics and artifacts. One stays while there is a registered version that
  /// has no files but the model's. Runs that read or made it go on naming it.
  RemovedForGood gc(std::optional<std::int64_t> deleted_before_ms = {});
  void set_tags(std::string_view model_id, const Texts& tags);
  void delete_tag(std::string_view model_id, std::string_view key);
  /// Parameters do not change: another value is Error{kAlreadyExists}.
  void log_params(std::string_view model_id, const Texts& params);
  /// Keeps the latest of each run, key and data set.
  void log_metrics(std::string_view model_id, const std::vector<LoggedModelMetric>& metrics);
  Page<LoggedModel> search(std::span<const std::int64_t> experiment_ids,
                           const SearchOptions& options, const MetricDatasets& datasets = {}) const;

 private:
  RegistryCore& core_;
};

/// Where the files of a logged model lie among the artifacts: "0/models/MODEL_ID/artifacts", below
/// the folder of its experiment.
std::string logged_model_artifact_root(const LoggedModel& model);

}  // namespace onnxop
