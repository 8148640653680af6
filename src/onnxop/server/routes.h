#pragma once
// The routes of the service, built once from its options.

#include <atomic>
#include <string>
#include <string_view>

#include "onnxop/server/metrics.h"
#include "onnxop/server/route_table.h"
#include "onnxop/server/server_options.h"
#include "onnxop/serving/serving_core.h"

namespace onnxop {

/// What the handlers look at; outlives them.
struct RouteContext {
  ServingCore core;
  const std::atomic<bool>& unready;
  std::string_view scheme;  // "http", "https"
  std::string address;      // "127.0.0.1:8080", for a page whose request has no usable Host
  std::string program_version;
  HttpStats& http;
};

/// The options' routes, or the default one. Throws Error{kNotFound} for a route to a model that is
/// not in the catalog, {kFailedPrecondition} for one that takes no images, {kInvalidArgument} for a
/// name that is none, {kAlreadyExists} for one that is given twice.
std::vector<ModelRoute> checked_model_routes(const ServerOptions& options, const Catalog& catalog);

/// Those of a port that answers `ports`, see RouteTable; all of them where there are none.
RouteTable make_routes(const ServerOptions& options, const std::vector<ModelRoute>& model_routes,
                       const RouteContext& context, const std::vector<RoutePort>& ports = {});

}  // namespace onnxop
