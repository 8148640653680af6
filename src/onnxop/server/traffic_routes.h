#pragma once
// /api/models/{model}/traffic: splits, shadows and rollbacks, looked at and changed while serving.

#include "onnxop/server/routes.h"
#include "onnxop/serving/traffic_ticket.h"

namespace onnxop {

void add_traffic_routes(RouteTable& table, const RouteContext& context);

/// What the sticky header says in the request, which outlives the result; as `core` does.
CallerOf caller_of(const ServingCore& core, const Request& request);

}  // namespace onnxop
