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
  Executors* tracking_writes = nullptr;
  Executors* files = nullptr;

  Executors& of(Lane lane) const {
    switch (lane) {
      case Lane::kTracking:
        return *tracking;
      case Lane::kTrackingWrites:
        return *tracking_writes;
      case Lane::kFiles:
        return *files;
      default:
        return control;
    }
  }
  void stop() const {
    for (Executors* each : {&control, tracking, tracking_writes, files}) {
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
