#include "onnxop/cli/serve_tracking.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "onnxop/workflow/publish_artifacts.h"

namespace onnxop {
namespace {

constexpr const char* kGroup = "Tracking";

// What asks a database in a file takes a processor; each thread may have a connection of its own.
int asking_threads() {
  constexpr int kMost = 4;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 2, kMost);
}

}  // namespace

void declare_tracking(CLI::App& command, TrackingArguments& arguments) {
  command
      .add_flag("--no-tracking", arguments.off,
                "Do not answer MLflow's REST API; the store has to be there then")
      ->group(kGroup);
  command
      .add_option("--tracking-port", arguments.port,
                  "Answer MLflow's REST API at this port alone; 0 takes a free one (default: at "
                  "--port)")
      ->check(CLI::Range(0, 65535))
      ->group(kGroup);
  command.add_option("--tracking-host", arguments.host, "Address of --tracking-port")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--tracking-port-file", arguments.port_file,
                  "Write the tracking's port to this file once the service answers")
      ->group(kGroup);
  command
      .add_option("--allowed-hosts", arguments.allowed_hosts,
                  "NAME[,NAME]: names by which clients may call the tracking, besides addresses, "
                  "localhost and this machine's own; *.example.org: all below it; *: any")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group(kGroup);
  command
      .add_option("--max-artifact-mb", arguments.max_artifact_mb,
                  "Largest artifact that is uploaded, in MiB (413)")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str()
      ->group(kGroup);
}

std::unique_ptr<RegistryPool> open_tracking(const TrackingArguments& arguments,
                                            const StoreLocation& store, bool models_folder,
                                            const Clock& clock) {
  if (arguments.off && (arguments.port >= 0 || !arguments.port_file.empty())) {
    throw UsageError("--no-tracking leaves nothing for --tracking-port and --tracking-port-file");
  }
  const bool must_be_there = models_folder && !store.is_postgresql();
  if (arguments.off || (must_be_there && !std::filesystem::exists(store.folder))) {
    return nullptr;
  }
  return std::make_unique<RegistryPool>(store, clock);
}

TrackingOptions tracking_options(const TrackingArguments& arguments, RegistryPool& registries) {
  return {.registries = &registries,
          .publish = publish_from_artifacts,
          .port = arguments.port,
          .host = arguments.host,
          .allowed_hosts = arguments.allowed_hosts,
          .threads = asking_threads()};
}

}  // namespace onnxop
