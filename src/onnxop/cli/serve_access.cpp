#include "onnxop/cli/serve_access.h"

#include <utility>

#include "onnxop/base/log.h"
#include "onnxop/server/token_file.h"

namespace onnxop {
namespace {

constexpr const char* kGroup = "Access";

AccessOptions options_of(const AccessArguments& arguments) {
  AccessOptions options;
  if (!arguments.rate_limit.empty()) {
    options.rate_limit = parse_rate_limit(arguments.rate_limit);
  }
  for (const std::string& origin : arguments.cors_origins) {
    options.cors.origins.push_back(parse_cors_origin(origin));
  }
  return options;
}

}  // namespace

void declare_access(CLI::App& command, AccessArguments& arguments, ServerOptions& server) {
  command
      .add_option("--tokens", arguments.tokens,
                  "Ask for bearer tokens: the file of their hashes, read again when it changes")
      ->group(kGroup);
  command
      .add_flag("--insecure", arguments.insecure,
                "Serve other machines without --tokens: everyone may do everything")
      ->group(kGroup);
  command
      .add_option("--rate-limit", arguments.rate_limit,
                  "N[/s][:BURST]: requests a second of each client; more are refused with 429 "
                  "(default: no limit)")
      ->group(kGroup);
  command
      .add_option(
          "--cors-origin", arguments.cors_origins,
          "Let pages of this origin ask, like https://example.org; *: of any (default: none)")
      ->allow_extra_args(false)
      ->group(kGroup);
  command
      .add_option("--manage-port", server.manage_port,
                  "Answer load, unload, traffic, the repository index and metrics at this port "
                  "alone; 0 takes a free one (default: at --port)")
      ->check(CLI::Range(0, 65535))
      ->group(kGroup);
  command.add_option("--manage-host", server.manage_host, "Address of --manage-port")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--manage-port-file", arguments.manage_port_file,
                  "Write the management's port to this file once the service answers")
      ->group(kGroup);
}

std::shared_ptr<AccessGate> make_gate(const AccessArguments& arguments, const ServerOptions& server,
                                      const Clock& clock) {
  std::vector<std::string> hosts{server.host};
  if (server.manage_port >= 0) {
    hosts.push_back(server.manage_host);
  }
  if (server.tracking && server.tracking->port >= 0) {
    hosts.push_back(server.tracking->host);
  }
  AccessOptions options;
  try {
    const auto warning = check_exposure({.hosts = hosts,
                                         .tokens = !arguments.tokens.empty(),
                                         .tls = server.tls != nullptr,
                                         .insecure = arguments.insecure});
    if (warning) {
      log_warning("{}", *warning);
    }
    options = options_of(arguments);
  } catch (const Error& e) {
    throw UsageError(e.what());
  }
  if (!arguments.tokens.empty()) {
    options.tokens = [file = std::make_shared<TokenFile>(arguments.tokens)] {
      return file->tokens();
    };
  }
  if (!options.tokens && !options.rate_limit && options.cors.origins.empty()) {
    return nullptr;
  }
  return std::make_shared<AccessGate>(std::move(options), clock);
}

}  // namespace onnxop
