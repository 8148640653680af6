#pragma once
// The experiments of a store. Belongs to its Registry: one thread at a time. Where nothing else is
// said, methods throw Error{kNotFound} for an experiment that is not there, and what Database does.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/run.h"
#include "onnxop/registry/search.h"

namespace onnxop {

struct RegistryCore;

class Experiments {
 public:
  explicit Experiments(RegistryCore& core) : core_(core) {}

  /// -> its id. Throws Error{kAlreadyExists} for a name that is taken, by a deleted one too.
  std::int64_t create(std::string_view name, const Texts& tags = {},
                      std::string_view artifact_location = "");
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
  void set_tag(std::int64_t experiment_id, std::string_view key, std::string_view value);
  void delete_tag(std::int64_t experiment_id, std::string_view key);

 private:
  RegistryCore& core_;
};

}  // namespace onnxop
