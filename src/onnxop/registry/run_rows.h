#pragma once
// Runs as the tables hold them. No part of the room's interface; all inside a transaction.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/key_values.h"
#include "onnxop/registry/run.h"

namespace onnxop {

class Session;

struct RegistryCore;

inline constexpr std::string_view kRunNameTag = "mlflow.runName";  // the run's name, as a tag
inline constexpr KeyValueTable kRunParams{"run_params", "run"};
inline constexpr KeyValueTable kRunTags{"run_tags", "run"};

/// The runs of these numbers with all that belongs to them, in this order; numbers of none are left
/// out. A few statements for any number of runs.
std::vector<Run> load_runs(Session& session, std::span<const std::int64_t> numbers);

/// What says where a run is, and whether it may be written.
struct RunRow {
  std::int64_t number = 0;
  std::int64_t experiment_id = 0;
  LifecycleStage lifecycle_stage = LifecycleStage::kActive;
};

/// Throws Error{kNotFound}.
RunRow find_run(Session& session, const RegistryCore& core, std::string_view run_id);
/// Throws Error{kFailedPrecondition} for a deleted one too.
RunRow find_active_run(Session& session, const RegistryCore& core, std::string_view run_id);

/// Throws Error{kInvalidArgument} for the first of them that cannot be kept.
void check_run_tags(const Texts& tags);
/// The tag of the name names the run; an empty one is passed over.
void set_run_tags(Session& session, std::int64_t run, const Texts& tags);

/// Adds to the histories what is not there yet, and brings the latest values up to date; keys are
/// checked before.
void append_metrics(Session& session, std::int64_t run, std::span<const Metric> metrics);

/// Throws Error{kInvalidArgument} for the first of them that cannot be kept.
void check_metrics(std::span<const Metric> metrics);

/// Latest is what has the largest time, then step, then value; NaN is less than any value.
bool is_later_metric(const Metric& metric, const Metric& than);

}  // namespace onnxop
