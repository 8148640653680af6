#pragma once
// The runs of a store. Belongs to its Registry: one thread at a time. Where nothing else is said,
// methods throw Error{kNotFound} for a run that is not there, {kInvalidArgument} for keys and
// values over the limits below, and what Database does. What returned is kept.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
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

/// In characters. MLflow's limits.
struct RunLimits {
  static constexpr std::size_t kKey = 250;
  static constexpr std::size_t kParamValue = 6000;
  static constexpr std::size_t kTagValue = 8000;
};

struct NewRun {
  std::string name = {};  // "": two words and a number are made up
  std::int64_t experiment_id = kDefaultExperiment;
  std::string user_id = {};
  std::optional<std::int64_t> start_time_ms = {};  // none: now
  Texts tags = {};                                 // mlflow.runName names it where `name` is empty
  /// The calling process writes it, and it is KILLED when that process is gone. False for runs that
  /// some client logs over HTTP.
  bool owned = true;
};

struct RunUpdate {
  std::optional<RunStatus> status = {};
  std::optional<std::int64_t> end_time_ms = {};
  std::optional<std::string> name = {};
};

/// Any of it may be empty; written in one transaction.
struct RunBatch {
  std::vector<Metric> metrics = {};
  Texts params = {};
  Texts tags = {};
};

struct MetricHistoryOptions {
  std::int64_t max_results = 0;  // 0: all
  std::string page_token = {};
};

class Runs {
 public:
  explicit Runs(RegistryCore& core) : core_(core) {}

  /// -> the run, as get() would. Throws Error{kNotFound} for an experiment that is not there,
  /// {kFailedPrecondition} for a deleted one.
  Run start(const NewRun& run);
  /// start() -> run_id.
  std::string create(const NewRun& run);
  /// The folder of the run's checkpoints, made if it is not there.
  std::filesystem::path dir(std::string_view run_id) const;

  /// Parameters do not change: another value is Error{kAlreadyExists}, the same again is fine. All
  /// or nothing. Runs that are deleted cannot be written: Error{kFailedPrecondition}.
  void log_batch(std::string_view run_id, const RunBatch& batch);
  void log_params(std::string_view run_id, const Texts& params);
  /// Points that are there already are passed over, here and in log_batch().
  void log_metrics(std::string_view run_id, const std::vector<Metric>& metrics);
  void set_tag(std::string_view run_id, std::string_view key, std::string_view value);
  void delete_tag(std::string_view run_id, std::string_view key);
  void log_inputs(std::string_view run_id, const std::vector<DatasetInput>& datasets,
                  const std::vector<RunModel>& models = {});
  void log_outputs(std::string_view run_id, const std::vector<RunModel>& models);

  Run update(std::string_view run_id, const RunUpdate& update);
  void end(std::string_view run_id, RunStatus status);  // now
  void reopen(std::string_view run_id);                 // RUNNING again, for a resumed training
  void remove(std::string_view run_id);                 // marks it deleted
  void restore(std::string_view run_id);
  /// Removes for good the deleted runs (all, or those deleted before that time), with their
  /// parameters, metrics, tags, artifacts and folders. One stays while there is a registered
  /// version that has no files but those among its artifacts.
  RemovedForGood gc(std::optional<std::int64_t> deleted_before_ms = {});

  Run get(std::string_view run_id) const;  // a unique prefix of 6 or more digits will do
  std::vector<Run> list() const;           // active ones, newest first
  /// Of the experiments named, or of all when there are none.
  Page<Run> search(std::span<const std::int64_t> experiment_ids, ViewType view,
                   const SearchOptions& options) const;

  /// Each point once, by time, then step, then value (NaN as 0).
  std::vector<Metric> metric_history(std::string_view run_id, std::string_view key) const;
  Page<Metric> metric_history_page(std::string_view run_id, std::string_view key,
                                   const MetricHistoryOptions& options) const;

  /// Makes KILLED of every RUNNING run whose process has surely ended, and returns those; their end
  /// is their last sign of life. Runs of other machines, containers and clients are left alone.
  std::vector<Run> mark_interrupted();

 private:
  RegistryCore& core_;
};

/// Where the files of a run lie among the artifacts: "0/RUN_ID/artifacts", below the folder of its
/// experiment.
std::string run_artifact_root(const Run& run);

}  // namespace onnxop
