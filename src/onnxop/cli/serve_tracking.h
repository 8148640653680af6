#pragma once
// The options of `serve` about MLflow's REST API.

#include <memory>
#include <string>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/cli/verb.h"
#include "onnxop/registry/registry_pool.h"
#include "onnxop/server/server_options.h"

namespace onnxop {

struct TrackingArguments {
  bool off = false;
  int port = -1;  // -1: where everything is
  std::string host = "127.0.0.1";
  std::string port_file;  // "": none
  std::vector<std::string> allowed_hosts;
  std::uint64_t max_artifact_mb = 4096;
};

/// In the help group "Tracking".
void declare_tracking(CLI::App& command, TrackingArguments& arguments);

/// The store's, which is made where it is not there, unless models come from a folder besides
/// (`models_folder`). Null where there is no tracking. Throws UsageError for options that do not
/// fit together.
std::unique_ptr<RegistryPool> open_tracking(const TrackingArguments& arguments,
                                            const StoreLocation& store, bool models_folder,
                                            const Clock& clock);

/// `registries` outlives the server.
TrackingOptions tracking_options(const TrackingArguments& arguments, RegistryPool& registries);

}  // namespace onnxop
