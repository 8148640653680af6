#pragma once
// What the connections of a server share; outlives them.

#include <atomic>

#include "onnxop/server/metrics.h"
#include "onnxop/server/route_table.h"
#include "onnxop/server/server_options.h"
#include "onnxop/serving/executors.h"

namespace onnxop {

struct ConnectionContext {
  const ServerOptions& options;
  const RouteTable& routes;
  Executors& control;                 // for what blocks
  const std::atomic<bool>& unready;   // answers end their connections
  const std::atomic<bool>& draining;  // idle connections end
  HttpStats& stats;
};

}  // namespace onnxop
