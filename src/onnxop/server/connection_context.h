#pragma once
// What the connections of a server share; outlives them.

#include <atomic>

#include "onnxop/server/known_hosts.h"
#include "onnxop/server/metrics.h"
#include "onnxop/server/route_table.h"
#include "onnxop/server/server_options.h"
#include "onnxop/serving/executors.h"

namespace onnxop {

/// The threads of the lanes, but for kIo. Those of the tracking are there where it is.
struct Lanes {
  Executors& control;
  Executors* tracking = nullptr;
  Executors* files = nullptr;

  Executors& of(Lane lane) const {
    return lane == Lane::kTracking ? *tracking : lane == Lane::kFiles ? *files : control;
  }
  void stop() const {
    for (Executors* each : {&control, tracking, files}) {
      if (each != nullptr) {
        each->stop();
      }
    }
  }
};

struct ConnectionContext {
  const ServerOptions& options;
  const RouteTable& routes;
  const Lanes& lanes;
  const KnownHosts& hosts;
  const std::atomic<bool>& unready;   // answers end their connections
  const std::atomic<bool>& draining;  // idle connections end
  HttpStats& stats;
};

}  // namespace onnxop
