#include <memory>
#include <thread>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/registry/registry.h"
#include "onnxop/score/ort_scorer.h"
#include "onnxop/server/server.h"

namespace onnxop {
namespace {

struct Options {
  ServerOptions server;
  std::vector<std::string> routes;
  std::string port_file;
  int drain_seconds = 30;
  int executors = 0;
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
  command.add_option("--max-body-bytes", server.limits.max_body_bytes, "Largest request body")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--max-pixels", server.max_pixels, "Largest image, width times height")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--max-connections", server.limits.max_connections, "Connections at one time")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--drain-seconds", options.drain_seconds, "How long a graceful stop may take")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void serve(const Options& options, const CliContext& context) {
  ServerOptions server_options = options.server;
  server_options.handle_signals = true;
  server_options.drain_timeout = std::chrono::seconds(options.drain_seconds);
  for (const auto& text : options.routes) {
    try {
      server_options.routes.push_back(parse_model_route(text));
    } catch (const Error& e) {
      throw UsageError(e.what());
    }
  }
  const SystemClock clock;
  Catalog catalog;
  {
    const Registry registry(context.store, clock, /*must_exist=*/true);
    catalog.publish(load_serving_set(
        registry, route_models(server_options.routes),
        [](const auto& path) { return std::shared_ptr<Scorer>(load_ort_scorer(path)); }));
  }
  const int processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  Scheduler scheduler(options.executors == 0 ? processors : options.executors, clock);
  Server server(server_options, {catalog, scheduler});
  if (!options.port_file.empty()) {
    write_file_atomically(options.port_file, as_bytes(format("{}", server.port())));
  }
  server.run();
}

}  // namespace

VerbAction declare_serve(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop serve --port 8080 --route classify_digit=mnist");
  declare_options(command, *options);
  return [options](const CliContext& context) { serve(*options, context); };
}

}  // namespace onnxop
