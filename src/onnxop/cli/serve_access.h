#pragma once
// The options of `serve` that say who may do what.

#include <memory>
#include <string>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/cli/verb.h"
#include "onnxop/server/server_options.h"

namespace onnxop {

struct AccessArguments {
  std::string tokens;  // a file; "": no tokens
  bool insecure = false;
  std::string rate_limit;                 // "": none
  std::vector<std::string> cors_origins;  // empty: no CORS
  std::string manage_port_file;           // "": none
};

/// The options of the help group "Access"; some go to `server`.
void declare_access(CLI::App& command, AccessArguments& arguments, ServerOptions& server);

/// Null where nothing is asked for; `clock` outlives the gate. Throws UsageError for values that
/// are none, and where other machines would find a server without tokens; Error for a file of
/// tokens that cannot be read.
std::shared_ptr<AccessGate> make_gate(const AccessArguments& arguments, const ServerOptions& server,
                                      const Clock& clock);

}  // namespace onnxop
