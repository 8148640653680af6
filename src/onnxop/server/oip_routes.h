#pragma once
// The Open Inference Protocol v2 over REST, with Triton's extensions.

#include "onnxop/server/routes.h"

namespace onnxop {

void add_oip_routes(RouteTable& table, const ServerOptions& options, const RouteContext& context,
                    std::function<bool()> ready);

}  // namespace onnxop
