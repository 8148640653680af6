#pragma once
// The store of runs and models: one SQLite database (`onnxop.db`, WAL) with facts, and folders with
// files
// (`models/NAME/VERSION/model.onnx`, `runs/RUN_ID/…`). A version's files are complete and in place
// before the transaction that makes the version visible. Names are MLflow's.
//
// Any number of processes may use one store. A Registry object: one thread at a time.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/base/clock.h"

namespace onnxop {

enum class RunStatus { kRunning, kFinished, kFailed, kKilled };
std::string_view run_status_name(RunStatus status);  // MLflow's: "RUNNING", …

struct Run {
  std::string run_id;  // 32 hex digits
  std::string name;
  RunStatus status = RunStatus::kRunning;
  std::int64_t start_time_ms = 0;
  std::optional<std::int64_t> end_time_ms;
  std::map<std::string, std::string> params;
  std::map<std::string, double> metrics;  // the latest value of each
  std::map<std::string, std::string> tags;
};

struct Metric {
  std::string key;
  double value = 0;
  std::int64_t timestamp_ms = 0;
  std::int64_t step = 0;
};

struct ModelVersion {
  std::string name;
  std::int64_t version = 0;
  std::string run_id;  // empty: imported
  std::string source;  // where the file came from, for people
  std::string sha256;  // of model.onnx
  std::int64_t created_ms = 0;
  std::filesystem::path model_path;  // absolute
};

/// One file of a version, as it was when it was published.
struct ModelFile {
  std::string path;  // relative to the version's folder: "model.onnx", a companion
  std::int64_t bytes = 0;
  std::string sha256;
};

struct RegisteredModel {
  std::string name;
  std::int64_t latest_version = 0;
  std::map<std::string, std::int64_t> aliases;
};

class Registry {
 public:
  /// Opens the store in `dir`, making it if it is not there (unless `must_exist`:
  /// Error{kNotFound}). Throws Error{kDataLoss} for a damaged one, Error{kFailedPrecondition} for
  /// one made by a newer program.
  explicit Registry(const std::filesystem::path& dir, const Clock& clock, bool must_exist = false);
  ~Registry();

  const std::filesystem::path& dir() const;

  // Runs.
  std::string create_run(std::string_view name);  // -> run_id; makes its folder
  std::filesystem::path run_dir(
      std::string_view run_id) const;  // artifacts and checkpoints of the run
  void log_params(std::string_view run_id,
                  const std::map<std::string, std::string>&
                      params);  // immutable: another value is kAlreadyExists
  void log_metrics(std::string_view run_id, const std::vector<Metric>& metrics);  // one transaction
  void set_tag(std::string_view run_id, std::string_view key, std::string_view value);
  void end_run(std::string_view run_id, RunStatus status);
  void reopen_run(std::string_view run_id);  // RUNNING again, for a resumed training
  Run get_run(
      std::string_view run_id) const;  // a unique prefix of 6 or more digits will do; kNotFound
  std::vector<Run> list_runs() const;  // newest first
  /// Makes KILLED of every RUNNING run whose process has surely ended, and returns those; their end
  /// is their last sign of life. Runs of other machines and containers are left alone.
  std::vector<Run> mark_interrupted_runs();
  std::vector<Metric> metric_history(std::string_view run_id, std::string_view key) const;

  // Models.
  /// Copies `model_file` (and files beside it named in `companions`, paths relative to its folder)
  /// into the store and publishes the next version. Names match [A-Za-z0-9][A-Za-z0-9._-]{0,127};
  /// else kInvalidArgument.
  ModelVersion register_model(std::string_view name, const std::filesystem::path& model_file,
                              std::string_view run_id, std::string_view source,
                              const std::vector<std::filesystem::path>& companions = {});
  std::vector<RegisteredModel> list_models() const;
  std::vector<ModelVersion> list_versions(std::string_view name) const;  // newest first; kNotFound
  ModelVersion get_version(std::string_view name, std::int64_t version) const;
  void set_alias(std::string_view name, std::string_view alias, std::int64_t version);
  /// "name" (latest), "name:3", "name@alias". kNotFound names what there is.
  ModelVersion resolve(std::string_view reference) const;
  std::vector<ModelFile> version_files(std::string_view name,
                                       std::int64_t version) const;  // sorted by path
  /// Reads all files of the version again. Throws Error{kDataLoss} for one that is missing or not
  /// what was published.
  void verify(const ModelVersion& version) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onnxop
