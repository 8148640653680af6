#include "onnxop/cli/serve_limits.h"

#include <algorithm>

#include <sys/resource.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr const char* kGroup = "Limits";
// Files that are open besides connections: models, the store, logs, gRPC.
constexpr rlim_t kOtherFiles = 200;

template <typename T>
void add_count(CLI::App& command, const char* name, T& value, const char* what) {
  command.add_option(name, value, what)
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(kGroup);
}

void add_seconds(CLI::App& command, const char* name, double& value, const char* what) {
  command.add_option(name, value, what)
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str()
      ->group(kGroup);
}

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3));
}

/// How many of them the system allows.
int make_room(int connections, bool asked_for) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return connections;
  }
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // it stays as it was where this fails
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = static_cast<rlim_t>(connections) + kOtherFiles;
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted) {
    return connections;
  }
  if (asked_for) {
    fail(ErrorCode::kFailedPrecondition,
         "--max-connections {} needs {} open files, but this process may have {}: raise that "
         "(ulimit -n) or take fewer connections",
         connections, wanted, limit.rlim_cur);
  }
  return std::max(1, static_cast<int>(limit.rlim_cur) - static_cast<int>(kOtherFiles));
}

}  // namespace

void declare_limits(CLI::App& command, LimitArguments& arguments, ServerOptions& server) {
  HttpLimits& http = server.limits;
  InferLimits& infer = server.infer;
  add_count(command, "--max-body-bytes", http.max_body_bytes,
            "Largest request body, and message over gRPC (413, RESOURCE_EXHAUSTED)");
  add_count(command, "--max-decoded-bytes", server.max_decoded_bytes,
            "Largest request body once it is decompressed (413)");
  command
      .add_option("--max-header-bytes", http.max_header_bytes,
                  "All header fields of a request together (431)")
      ->check(CLI::Range(256, 1 << 24))
      ->capture_default_str()
      ->group(kGroup);
  add_count(command, "--max-header-fields", http.max_fields, "Header fields of a request (431)");
  add_count(command, "--max-url-bytes", http.max_target_bytes, "Path and query (414)");
  add_count(command, "--max-json-depth", infer.max_json_depth,
            "Arrays and objects within each other (400)");
  add_count(command, "--max-tensors", infer.max_tensors,
            "Inputs of an inference, and outputs (413, RESOURCE_EXHAUSTED)");
  add_count(command, "--max-elements", infer.max_elements,
            "Elements of all inputs together (413, RESOURCE_EXHAUSTED)");
  add_count(command, "--max-pixels", server.max_pixels, "Width times height of an image (413)");
  command
      .add_option("--max-connections", arguments.max_connections,
                  format("Connections at one time; more get 503 (default: {}, or as many as this "
                         "process may have files open)",
                         http.max_connections))
      ->check(CLI::PositiveNumber)
      ->group(kGroup);
  command
      .add_option("--max-requests-per-connection", http.max_requests,
                  "Then a connection is closed after its answer; 0: never")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group(kGroup);
  add_seconds(command, "--handshake-seconds", arguments.handshake_seconds,
              "TLS, from the connection to its end; then it is closed");
  add_seconds(command, "--header-seconds", arguments.header_seconds,
              "A request's head, from its first byte to its last (408)");
  add_seconds(command, "--body-seconds", arguments.body_seconds,
              "A request's body, from its first byte to its last (408)");
  add_seconds(command, "--write-seconds", arguments.write_seconds,
              "For the client to take an answer; then the connection is closed");
  add_seconds(command, "--idle-seconds", arguments.idle_seconds,
              "Between two requests; then the connection is closed");
}

void apply_limits(const LimitArguments& arguments, ServerOptions& server) {
  HttpLimits& http = server.limits;
  http.handshake_timeout = milliseconds_of(arguments.handshake_seconds);
  http.header_timeout = milliseconds_of(arguments.header_seconds);
  http.body_timeout = milliseconds_of(arguments.body_seconds);
  http.write_timeout = milliseconds_of(arguments.write_seconds);
  http.idle_timeout = milliseconds_of(arguments.idle_seconds);
  const bool asked_for = arguments.max_connections > 0;
  http.max_connections =
      make_room(asked_for ? arguments.max_connections : http.max_connections, asked_for);
}

}  // namespace onnxop
