#pragma once
// What can be called over gRPC: the methods of inference.GRPCInferenceService, of
// grpc.health.v1.Health, and reflection.

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "onnxop/server/grpc_access.h"
#include "onnxop/server/grpc_call.h"
#include "onnxop/server/grpc_server.h"
#include "onnxop/serving/executors.h"

namespace onnxop {

/// What the calls of a server share; outlives them.
struct GrpcContext {
  const GrpcOptions& options;
  const ServingCore& core;
  const std::string& version;  // of the program
  const std::atomic<bool>& draining;
  Executors& control;  // for what blocks
};

inline constexpr std::size_t kAnySize = std::numeric_limits<std::size_t>::max();

struct GrpcMethod {
  std::string name;  // "ModelInfer"
  Permission permission;
  GrpcAsks asks;
  std::size_t max_message_bytes;  // where the server's own limit is higher; kAnySize: that alone
  std::function<std::unique_ptr<GrpcCall>(const GrpcHead&, GrpcReply&)> make;
};

/// By the paths that calls have: "/inference.GRPCInferenceService/ModelInfer".
using GrpcMethods = std::unordered_map<std::string, GrpcMethod>;

/// All of them; what `context` names outlives them.
GrpcMethods make_grpc_methods(const GrpcContext& context);

// Their parts.

std::unique_ptr<GrpcCall> infer_call(const GrpcContext& context, const GrpcHead& head,
                                     GrpcReply& reply);
/// Many inferences at once, their answers in order.
std::unique_ptr<GrpcCall> stream_infer_call(const GrpcContext& context, const GrpcHead& head,
                                            GrpcReply& reply);

}  // namespace onnxop
