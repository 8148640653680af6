#pragma once
// The options of `serve` that say who may do what.

#include <memory>
#include <string>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/cli/verb.h"
#include "onnxop/server/access_gate.h"

namespace onnxop {

struct AccessArguments {
  std::string tokens;  // a file; "": no tokens
  bool insecure = false;
  std::string rate_limit;                 // "": none
  std::vector<std::string> cors_origins;  // empty: no CORS
};

/// The options of the help group "Access".
void declare_access(CLI::App& command, AccessArguments& arguments);

/// Null where nothing is asked for. `hosts` are what the server listens at; `clock` outlives the
/// gate. Throws UsageError for values that are none, and where other machines would find a server
/// without tokens; Error for a file of tokens that cannot be read.
std::shared_ptr<AccessGate> make_gate(const AccessArguments& arguments,
                                      const std::vector<std::string>& hosts, const Clock& clock);

}  // namespace onnxop
