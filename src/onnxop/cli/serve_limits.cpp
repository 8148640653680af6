#include "onnxop/cli/serve_limits.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include <sys/resource.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr const char* kGroup = "Limits";
// Files that are open besides connections: models, the store, logs.
constexpr std::int64_t kOtherFiles = 200;

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

/// How many files this process may have open, once as many as the system lets it; none: any number.
std::optional<std::int64_t> raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return std::nullopt;
  }
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // it stays as it was where this fails
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur > std::numeric_limits<std::int32_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(limit.rlim_cur);
}

/// Those that were asked for; of the others as many as there are files for, gRPC's a quarter.
void make_room(const LimitArguments& arguments, bool with_grpc, int& http, int& grpc) {
  const std::optional<std::int64_t> files = raise_open_files();
  const std::int64_t asked = std::int64_t{arguments.max_connections} +
                             (with_grpc ? arguments.max_grpc_connections : 0) + kOtherFiles;
  if (files && asked > *files) {
    fail(ErrorCode::kFailedPrecondition,
         "--max-connections {}{} need {} open files, but this process may have {}: raise that "
         "(ulimit -n) or take fewer connections",
         arguments.max_connections,
         with_grpc ? format(", --max-grpc-connections {}", arguments.max_grpc_connections) : "",
         asked, *files);
  }
  std::int64_t left = files ? *files - asked : std::numeric_limits<std::int32_t>::max();
  const auto take = [&left](int asked_for, int usual, std::int64_t share) {
    const auto taken =
        asked_for > 0 ? asked_for : static_cast<int>(std::clamp<std::int64_t>(share, 1, usual));
    left -= asked_for > 0 ? 0 : taken;
    return taken;
  };
  if (with_grpc) {
    grpc = take(arguments.max_grpc_connections, grpc, left / 4);
  }
  http = take(arguments.max_connections, http, left);
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
                  "All header fields of a request together, and metadata of a call over gRPC (431, "
                  "RESOURCE_EXHAUSTED)")
      ->check(CLI::Range(256, 1 << 24))
      ->capture_default_str()
      ->group(kGroup);
  add_count(command, "--max-header-fields", http.max_fields,
            "Header fields of a request, and of a call over gRPC (431, RESOURCE_EXHAUSTED)");
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
      .add_option("--max-grpc-connections", arguments.max_grpc_connections,
                  format("Of gRPC, at one time; more are closed (default: {}, or a quarter of what "
                         "this process may have files open)",
                         arguments.grpc.max_connections))
      ->check(CLI::PositiveNumber)
      ->group(kGroup);
  add_count(command, "--max-grpc-calls", arguments.grpc.max_calls,
            "At one time over one gRPC connection; others wait at the client");
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
              "Between two requests, and calls over gRPC; then the connection is closed");
  add_seconds(command, "--grpc-keepalive-seconds", arguments.grpc_keepalive_seconds,
              "Without a word of a gRPC client; then it is asked for one");
  add_seconds(command, "--grpc-min-ping-seconds", arguments.grpc_min_ping_seconds,
              "Between pings of a gRPC client without a call; after the third earlier one its "
              "connection is closed");
  command
      .add_option("--max-grpc-connection-seconds", arguments.max_grpc_connection_seconds,
                  "Then a gRPC client makes a new connection for its next call, and calls going on "
                  "have as long again; 0: any time")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str()
      ->group(kGroup);
}

void apply_limits(LimitArguments& arguments, ServerOptions& server, bool with_grpc) {
  HttpLimits& http = server.limits;
  http.handshake_timeout = milliseconds_of(arguments.handshake_seconds);
  http.header_timeout = milliseconds_of(arguments.header_seconds);
  http.body_timeout = milliseconds_of(arguments.body_seconds);
  http.write_timeout = milliseconds_of(arguments.write_seconds);
  http.idle_timeout = milliseconds_of(arguments.idle_seconds);
  GrpcLimits& grpc = arguments.grpc;
  grpc.max_message_bytes = static_cast<std::size_t>(
      std::min<std::uint64_t>(http.max_body_bytes, std::numeric_limits<int>::max()));
  grpc.max_metadata_bytes = http.max_header_bytes;
  grpc.max_metadata_fields = http.max_fields;
  grpc.handshake_timeout = http.handshake_timeout;
  grpc.write_timeout = http.write_timeout;
  grpc.idle_timeout = http.idle_timeout;
  grpc.keepalive = milliseconds_of(arguments.grpc_keepalive_seconds);
  grpc.min_ping = milliseconds_of(arguments.grpc_min_ping_seconds);
  grpc.max_age = milliseconds_of(arguments.max_grpc_connection_seconds);
  make_room(arguments, with_grpc, http.max_connections, grpc.max_connections);
}

}  // namespace onnxop
