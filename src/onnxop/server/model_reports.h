#pragma once
// What is said of served models in the protocol's terms: for REST and gRPC alike.

#include <vector>

#include "onnxop/serving/serving_core.h"
#include "onnxop/wire/oip_metadata.h"

namespace onnxop {

OipModel describe_served(const ServedModel& model, const ServingSet& set);

/// Good as long as the model is leased.
OipConfig config_of(const ServedModel& model, const ServingCore& core);

OipStatistics statistics_of(const ServedModel& model);

/// What the manager has; without one, what is served.
std::vector<IndexedVersion> index_of(const ServingCore& core);

}  // namespace onnxop
