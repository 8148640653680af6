#pragma once
// How the gate speaks gRPC.

#include <string_view>

#include <grpcpp/support/status.h>

#include "onnxop/server/access.h"
#include "onnxop/server/grpc_server.h"

namespace grpc {
class ServerContextBase;
}

namespace onnxop {

/// What a method of inference.GRPCInferenceService needs leave for; kUnset for one that is not
/// known.
Permission grpc_permission(std::string_view method);

/// What is asked of the gate: a call, a message in a stream, which is a request of its own, or the
/// stream, which is none.
enum class GrpcAsks { kCall, kStream };

/// OK, or why the call may not go on: UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED.
grpc::Status admit(const GrpcOptions& options, const grpc::ServerContextBase& context,
                   std::string_view method, GrpcAsks asks = GrpcAsks::kCall);

}  // namespace onnxop
