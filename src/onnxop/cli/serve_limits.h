#pragma once
// The options of `serve` that say how much a client may ask for, and how long it may take.

#include "onnxop/cli/verb.h"
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
};

/// In the help group "Limits".
void declare_limits(CLI::App& command, LimitArguments& arguments, ServerOptions& server);

/// Sets the server's times, and makes room for its connections: raises the number of files that
/// this process may have open as far as the system lets it. Throws Error{kFailedPrecondition} where
/// that is not enough for the max_connections that were asked for.
void apply_limits(const LimitArguments& arguments, ServerOptions& server);

}  // namespace onnxop
