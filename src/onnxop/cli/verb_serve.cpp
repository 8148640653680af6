#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <thread>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/cli/serve_access.h"
#include "onnxop/cli/serve_limits.h"
#include "onnxop/cli/serve_security.h"
#include "onnxop/cli/serve_tracking.h"
#include "onnxop/cli/serve_traffic.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/ort_scorer.h"
#include "onnxop/server/grpc_server.h"
#include "onnxop/server/server.h"
#include "onnxop/serving/change_watcher.h"
#include "onnxop/serving/shadow_runner.h"

namespace onnxop {
namespace {

struct Options {
  ServerOptions server;
  std::vector<std::string> routes;
  std::string port_file;
  int drain_seconds = 5;
  int stop_seconds = 30;
  int executors = 0;
  std::int64_t spin_us = ServerOptions().spin.count();
  QueueSettings queue;
  int grpc_port = -1;  // -1: no gRPC
  std::string grpc_port_file;
  std::string models_folder;
  std::vector<std::string> version_policies;
  LimitArguments limits;
  AccessArguments access;
  TrafficOptions traffic;
  TrackingArguments tracking;
  TlsFiles tls;
};

void declare_options(CLI::App& command, Options& options) {
  ServerOptions& server = options.server;
  command.add_option("--host", server.host, "Address to listen on")->capture_default_str();
  command.add_option("--port", server.port, "Port to listen on; 0 takes a free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command
      .add_option(
          "--route", options.routes,
          "NAME=MODEL: answer POST /api/NAME with that model (default: classify_digit=mnist)")
      ->allow_extra_args(false);
  command.add_option("--port-file", options.port_file,
                     "Write the port to this file once the service answers");
  command
      .add_option("--executors", options.executors,
                  "Threads that decode and score; 0: one a processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      .add_option("--spin-us", options.spin_us,
                  "Microseconds for which an I/O thread looks for the next request before it "
                  "sleeps, if one of the last two came as soon; 0: never")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command
      .add_option("--grpc-port", options.grpc_port,
                  "Speak gRPC too, on this port; 0 takes a free one (default: no gRPC)")
      ->check(CLI::Range(0, 65535));
  command.add_option("--grpc-port-file", options.grpc_port_file,
                     "Write gRPC's port to this file once it answers");
  command.add_option(
      "--models", options.models_folder,
      "Serve a folder laid out NAME/VERSION/model.onnx (NAME/config.pbtxt as Triton has it), "
      "besides the store if it is there");
  command
      .add_option("--version-policy", options.version_policies,
                  "[NAME=]latest|latest:N|all|1,3: the versions to serve, of all models or one")
      ->allow_extra_args(false);
  command
      .add_option(
          "--max-batch", options.queue.max_batch,
          "Rows of requests that run together; 0: where throughput stops growing; 1: none do")
      ->check(CLI::Range(0, 65536))
      ->capture_default_str();
  command
      .add_option("--max-queue", options.queue.max_queued,
                  "Requests that wait for a model; more are refused with 429")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  declare_limits(command, options.limits, server);
  declare_access(command, options.access, server);
  declare_tracking(command, options.tracking);
  declare_tls(command, options.tls);
  command
      .add_option("--slow-request-ms", server.slow_request_ms,
                  "Log where the time of requests went that took longer; 0: of none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      .add_option("--drain-seconds", options.drain_seconds,
                  "On SIGTERM, how long to go on serving while readiness is down already")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      .add_option("--stop-seconds", options.stop_seconds,
                  "How long requests in flight then have to end")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  declare_traffic_options(command, options.traffic);
}

ServingWishes wishes_of(const Options& options, const std::vector<ModelRoute>& routes) {
  ServingWishes wishes;
  for (const std::string& reference : route_models(routes)) {
    wishes.references.insert(reference);
  }
  for (const std::string& text : options.version_policies) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) {
      wishes.policy = parse_version_policy(text);
    } else {
      wishes.policies[text.substr(0, equals)] = parse_version_policy(text.substr(equals + 1));
    }
  }
  return wishes;
}

/// The store has to be there unless a folder of models is.
std::vector<std::unique_ptr<ModelProvider>> providers_of(const Options& options,
                                                         const CliContext& context,
                                                         const Clock& clock) {
  std::vector<std::unique_ptr<ModelProvider>> providers;
  if (!options.models_folder.empty()) {
    providers.push_back(folder_provider(options.models_folder, clock, options.queue));
  }
  if (options.models_folder.empty() || context.store.is_postgresql() ||
      std::filesystem::exists(context.store.folder)) {
    providers.push_back(store_provider(context.store, clock, options.queue));
  }
  return providers;
}

ServerOptions server_options_of(Options& options) {
  ServerOptions server = options.server;
  server.handle_signals = true;
  apply_limits(options.limits, server, options.grpc_port >= 0);
  server.spin = std::chrono::microseconds(options.spin_us);
  server.drain_grace = std::chrono::seconds(options.drain_seconds);
  server.drain_timeout = std::chrono::seconds(options.stop_seconds);
  for (const auto& text : options.routes) {
    server.routes.push_back(parse_model_route(text));
  }
  return server;
}

int processor_count() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::unique_ptr<GrpcServer> start_grpc(const Options& options, const ServerOptions& server,
                                       const ServingCore& core) {
  if (options.grpc_port < 0) {
    return nullptr;
  }
  GrpcOptions grpc;
  grpc.host = server.host;
  grpc.port = options.grpc_port;
  grpc.threads = std::max(1, processor_count() / 4);
  grpc.limits = options.limits.grpc;
  grpc.spin = server.spin;
  grpc.infer = server.infer;
  grpc.slow_request_ms = server.slow_request_ms;
  grpc.gate = server.gate;
  grpc.management_apart = server.manage_port >= 0;
  grpc.tls = server.tls;
  auto made = std::make_unique<GrpcServer>(grpc, core, ONNXOP_VERSION);
  if (!options.grpc_port_file.empty()) {
    write_file_atomically(options.grpc_port_file, as_bytes(format("{}", made->port())));
  }
  return made;
}

std::vector<std::unique_ptr<ChangeWatcher>> watch_places(ModelManager& manager) {
  std::vector<std::unique_ptr<ChangeWatcher>> watchers;
  for (std::size_t place = 0; place < manager.places(); ++place) {
    WatchOptions watch;
    watch.poll = manager.poll_time(place).value_or(watch.poll);
    watchers.push_back(std::make_unique<ChangeWatcher>(
        [&manager, place] { return manager.watched(place); },
        [&manager, place] { return manager.refresh(place); }, watch));
  }
  return watchers;
}

void serve(Options options, const CliContext& context) {
  ServerOptions server_options;
  ManagerOptions manager_options;
  std::map<std::string, TrafficPlan> traffic;
  std::string sticky_header;
  const int executors = options.executors == 0 ? processor_count() : options.executors;
  try {
    server_options = server_options_of(options);
    manager_options = {wishes_of(options, server_options.routes), executors};
    traffic = traffic_plans(options.traffic);
    sticky_header = sticky_header_of(options.traffic);
  } catch (const Error& e) {
    throw UsageError(e.what());
  }
  const auto certificates = load_tls(options.tls);
  server_options.tls = certificates;
  server_options.on_hangup = tls_reloader(certificates);
  const SystemClock clock;
  const auto registries =
      open_tracking(options.tracking, context.store, !options.models_folder.empty(), clock);
  if (registries) {
    server_options.tracking.emplace(tracking_options(options.tracking, *registries));
    server_options.max_artifact_bytes = options.tracking.max_artifact_mb << 20;
  }
  server_options.gate = make_gate(options.access, server_options, clock);
  Catalog catalog;
  ModelManager manager(
      providers_of(options, context, clock), std::move(manager_options),
      [](const auto& path, std::span<const std::byte> rewritten) -> std::shared_ptr<Scorer> {
        return rewritten.empty() ? load_ort_scorer(path) : load_ort_scorer(rewritten, path);
      },
      [](const auto& path) { check_model(path); }, catalog);
  manager.refresh();
  for (const std::string& problem : manager.unmet()) {
    fail(ErrorCode::kNotFound, "{}", problem);
  }
  begin_traffic(manager, traffic);
  ShadowRunner shadows;
  Scheduler scheduler(executors, clock);
  const ServingCore core{catalog, scheduler, &manager, &shadows, sticky_header};
  const auto grpc = start_grpc(options, server_options, core);
  if (grpc) {
    server_options.on_drain = [&grpc] { grpc->begin_drain(); };
    server_options.grpc_connections = [&grpc] { return grpc->connections(); };
  }
  Server server(server_options, core);
  const auto watchers = watch_places(manager);
  if (!options.access.manage_port_file.empty()) {
    write_file_atomically(options.access.manage_port_file,
                          as_bytes(format("{}", server.manage_port())));
  }
  if (!options.tracking.port_file.empty()) {
    write_file_atomically(options.tracking.port_file,
                          as_bytes(format("{}", server.tracking_port())));
  }
  if (!options.port_file.empty()) {
    write_file_atomically(options.port_file, as_bytes(format("{}", server.port())));
  }
  server.run();
  if (grpc) {
    grpc->stop(server_options.drain_timeout);
  }
}

}  // namespace

VerbAction declare_serve(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop serve --port 8080 --route classify_digit=mnist");
  declare_options(command, *options);
  return [options](const CliContext& context) { serve(*options, context); };
}

}  // namespace onnxop
