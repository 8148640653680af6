#pragma once
// The experiments of a store. Belongs to its Registry: one thread at a time. Where nothing else is
// said, methods throw Error{kNotFound} for an experiment that is not there, and what Database does.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/removed.h"
#include "onnxop/registry/run.h"
#include "onnxop/registry/search.h"

namespace onnxop {

struct RegistryCore;

/// What went for good, and what stays for the sake of registered versions.
struct RemovedExperiments {
  std::vector<std::string> run_ids = {};
  std::vector<std::int64_t> experiment_ids = {};
  std::vector<std::int64_t> kept_experiment_ids = {};  // those that the following belong to
  std::vector<NeededByVersions> kept_runs = {};
  std::vector<NeededByVersions> kept_models = {};  // logged ones
};

class Experiments {
 public:
  explicit Experiments(RegistryCore& core) : core_(core) {}

  /// -> its id. `artifact_folder`: where the files of its runs lie among the artifacts, alone or
  /// with those of others; "": a folder of its own, its number. Throws Error{kAlreadyExists} for a
  /// name that is taken, by a deleted one too, {kInvalidArgument} for a folder that is none
  /// (check_artifact_path), over 1,000 bytes, or that may be another experiment's, run's or model's
  /// own: with a number as its first part, or an id as any.
  std::int64_t create(std::string_view name, const Texts& tags = {},
                      std::string_view artifact_folder = "");
  Experiment get(std::int64_t experiment_id) const;  // deleted ones too
  Experiment get_by_name(std::string_view name) const;
  /// Its id; made if it is not there. Throws Error{kFailedPrecondition} for a deleted one.
  std::int64_t get_or_create(std::string_view name);
  Page<Experiment> search(ViewType view, const SearchOptions& options) const;
  /// Deleted experiments are not changed: Error{kFailedPrecondition}.
  void rename(std::int64_t experiment_id, std::string_view name);
  /// Marks it deleted, and its active runs with it. Throws Error{kInvalidArgument} for the default
  /// experiment, {kNotFound} for one that is deleted.
  void remove(std::int64_t experiment_id);
  /// Takes the mark away, also from the runs that were deleted with it. Throws Error{kNotFound}
  /// for one that is not deleted.
  void restore(std::int64_t experiment_id);
  /// Removes for good the deleted experiments (all, or those deleted before that time), with their
  /// deleted runs, logged models, data sets and artifacts; registered versions stay. One with a run
  /// that was restored alone, or deleted later, stays, and so does one with a run or a logged model
  /// that a registered version has no files but those of. No number is used again.
  RemovedExperiments gc(std::optional<std::int64_t> deleted_before_ms = {});
  void set_tag(std::int64_t experiment_id, std::string_view key, std::string_view value);
  void delete_tag(std::int64_t experiment_id, std::string_view key);

 private:
  RegistryCore& core_;
};

}  // namespace onnxop
