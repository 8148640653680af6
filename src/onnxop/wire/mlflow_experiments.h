#pragma once
// Experiments as MLflow's REST API has them.

#include <cstdint>
#include <string>

#include "onnxop/registry/run.h"

namespace onnxop {

/// {"experiment_id": "7"}
std::string experiment_id_json(std::int64_t experiment_id);

/// {"experiment": {…}}
std::string experiment_json(const Experiment& experiment);

/// {"experiments": […], "next_page_token": …}
std::string experiments_json(const Page<Experiment>& page);

}  // namespace onnxop
