#include "onnxop/server/grpc_status.h"

#include "onnxop/base/log.h"
#include "onnxop/base/storage_error.h"
#include "onnxop/server/status.h"

namespace onnxop {
namespace {

GrpcCode grpc_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return GrpcCode::kInvalidArgument;
    case ErrorCode::kNotFound:
      return GrpcCode::kNotFound;
    case ErrorCode::kAlreadyExists:
      return GrpcCode::kAlreadyExists;
    case ErrorCode::kTooLarge:
    case ErrorCode::kResourceExhausted:
      return GrpcCode::kResourceExhausted;
    case ErrorCode::kUnsupported:
      return GrpcCode::kUnimplemented;
    case ErrorCode::kFailedPrecondition:
      return GrpcCode::kFailedPrecondition;
    case ErrorCode::kUnavailable:
      return GrpcCode::kUnavailable;
    case ErrorCode::kDeadlineExceeded:
      return GrpcCode::kDeadlineExceeded;
    case ErrorCode::kUnauthenticated:
      return GrpcCode::kUnauthenticated;
    case ErrorCode::kPermissionDenied:
      return GrpcCode::kPermissionDenied;
    case ErrorCode::kDataLoss:
      return GrpcCode::kDataLoss;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      break;
  }
  return GrpcCode::kInternal;
}

/// What cannot be stored: HTTP has 507 for both.
GrpcCode grpc_code(StorageFault fault) {
  return fault == StorageFault::kFull ? GrpcCode::kResourceExhausted
                                      : GrpcCode::kFailedPrecondition;
}

/// A fault of the server, whose details are for its log alone.
GrpcStatus fault(GrpcCode code, std::string_view told, const Error& error) {
  log_fields(LogLevel::kError, "a gRPC call failed", {{"details", std::string_view(error.what())}});
  return {code, format("{}; its log has the details", told)};
}

}  // namespace

GrpcStatus grpc_status(const Error& error) {
  if (const auto* storage = dynamic_cast<const StorageError*>(&error)) {
    return fault(grpc_code(storage->fault()), storage_fault_text(storage->fault()), error);
  }
  const GrpcCode code = grpc_code(error.code());
  if (code == GrpcCode::kInternal || code == GrpcCode::kDataLoss) {
    return fault(code, "something failed in the server", error);
  }
  return {code, error.what()};
}

GrpcStatus status_of(const std::function<void()>& work) noexcept {
  try {
    work();
    return GrpcStatus();
  } catch (const Error& e) {
    return grpc_status(e);
  } catch (const std::exception& e) {
    return grpc_status(Error(ErrorCode::kInternal, e.what()));
  }
}

}  // namespace onnxop
