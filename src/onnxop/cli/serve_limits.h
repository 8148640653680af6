#pragma once
// The options of `serve` that say how much a client may ask for, and how long it may take.

#include "onnxop/cli/verb.h"
#include "onnxop/server/grpc_limits.h"
#include "onnxop/server/server_options.h"

namespace onnxop {

/// What the command line says of limits beside the server's own options. Times are in seconds.
struct LimitArguments {
  int max_connections = 0;  // 0: ServerOptions', or fewer where the system lets it have fewer files
  double handshake_seconds = 10;
  double header_seconds = 10;
  double body_seconds = 60;
  double write_seconds = 30;
  double idle_seconds = 75;
  GrpcLimits grpc;               // what gRPC alone has; the rest is the server's
  int max_grpc_connections = 0;  // 0: as max_connections
  double grpc_keepalive_seconds = 60;
  double grpc_min_ping_seconds = 10;
  double max_grpc_connection_seconds = 3600;
};

/// In the help group "Limits".
void declare_limits(CLI::App& command, LimitArguments& arguments, ServerOptions& server);

/// Sets the server's times and gRPC's limits, and makes room for their connections: raises the
/// number of files that this process may have open as far as the system lets it. Throws
/// Error{kFailedPrecondition} where that is not enough for those that were asked for.
void apply_limits(LimitArguments& arguments, ServerOptions& server, bool with_grpc);

}  // namespace onnxop
