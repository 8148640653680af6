#pragma once
// Experiments as the tables hold them. No part of the room's interface; inside a transaction.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "onnxop/registry/key_values.h"
#include "onnxop/registry/run.h"

namespace onnxop {

struct RegistryCore;

inline constexpr KeyValueTable kExperimentTags{"experiment_tags", "experiment_id"};

/// The experiments of these ids with their tags, in this order; ids of none are left out.
std::vector<Experiment> load_experiments(Session& session, std::span<const std::int64_t> ids);

/// -> Experiment::artifact_folder. Throws Error{kNotFound} for an experiment that is not there,
/// {kFailedPrecondition} for a deleted one.
std::string require_active_experiment(Session& session, const RegistryCore& core,
                                      std::int64_t experiment_id);

}  // namespace onnxop
