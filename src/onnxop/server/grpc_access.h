#pragma once
// How the gate speaks gRPC.

#include <cstdint>
#include <string_view>

#include "onnxop/server/access.h"
#include "onnxop/server/grpc_server.h"
#include "onnxop/wire/grpc_protocol.h"

namespace onnxop {

struct GrpcHead;

/// What a method of inference.GRPCInferenceService needs leave for; kUnset for one that is not
/// known.
Permission grpc_permission(std::string_view method);

/// What is asked of the gate: a call, a message in a stream, which is a request of its own, or the
/// stream, which is none.
enum class GrpcAsks : std::uint8_t { kCall, kStream };

/// OK, or why the call may not go on: UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED.
GrpcStatus admit(const GrpcOptions& options, const GrpcHead& head, std::string_view method,
                 Permission permission, GrpcAsks asks);

}  // namespace onnxop
