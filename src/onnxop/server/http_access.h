#pragma once
// How the gate speaks HTTP.

#include <functional>
#include <string>

#include "onnxop/server/access_gate.h"
#include "onnxop/server/route_table.h"

namespace onnxop {

/// Puts a refusal in the place of the route where the gate does not let the request through (401
/// with WWW-Authenticate, 403, 429 with Retry-After), answers preflights, and gives the answer,
/// whichever it will be, its CORS fields. `address` is the client's. What nothing was found for
/// needs a token too: strangers do not learn what there is.
void admit(AccessGate& gate, const Request& request, const std::function<std::string()>& address,
           RouteTable::Match& match);

}  // namespace onnxop
