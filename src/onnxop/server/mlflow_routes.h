#pragma once
// MLflow's REST API: experiments, runs, metrics, logged models, the registry of models, and their
// artifacts (docs/tracking.md, "Over HTTP").

#include <string_view>

#include "onnxop/server/route_table.h"
#include "onnxop/server/server_options.h"

namespace onnxop {

/// `options` outlive the table.
void add_mlflow_routes(RouteTable& table, const TrackingOptions& options,
                       std::string_view program_version);

}  // namespace onnxop
