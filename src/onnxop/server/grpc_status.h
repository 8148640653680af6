#pragma once
// Errors as gRPC's statuses. Safe from any thread.

#include <functional>

#include "onnxop/base/error.h"
#include "onnxop/wire/grpc_protocol.h"

namespace onnxop {

/// The one place where an Error becomes gRPC's status.
GrpcStatus grpc_status(const Error& error);

/// grpc_status() of what `work` throws; OK when it throws nothing.
GrpcStatus status_of(const std::function<void()>& work) noexcept;

}  // namespace onnxop
