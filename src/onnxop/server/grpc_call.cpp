#include "onnxop/server/grpc_call.h"

#include <algorithm>
#include <utility>

#include <open_inference.grpc.pb.h>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/server/request_log.h"
#include "onnxop/server/status.h"
#include "onnxop/server/tensor_answer.h"
#include "onnxop/wire/oip_answer.h"
#include "onnxop/wire/oip_grpc.h"

namespace onnxop {
namespace {

grpc::StatusCode grpc_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorCode::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case ErrorCode::kAlreadyExists:
      return grpc::StatusCode::ALREADY_EXISTS;
    case ErrorCode::kTooLarge:
    case ErrorCode::kResourceExhausted:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case ErrorCode::kUnsupported:
      return grpc::StatusCode::UNIMPLEMENTED;
    case ErrorCode::kFailedPrecondition:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case ErrorCode::kUnavailable:
      return grpc::StatusCode::UNAVAILABLE;
    case ErrorCode::kDeadlineExceeded:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case ErrorCode::kUnauthenticated:
      return grpc::StatusCode::UNAUTHENTICATED;
    case ErrorCode::kPermissionDenied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorCode::kDataLoss:
      return grpc::StatusCode::DATA_LOSS;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      break;
  }
  return grpc::StatusCode::INTERNAL;
}

/// What cannot be stored: HTTP has 507 for both.
grpc::StatusCode grpc_code(StorageFault fault) {
  return fault == StorageFault::kFull ? grpc::StatusCode::RESOURCE_EXHAUSTED
                                      : grpc::StatusCode::FAILED_PRECONDITION;
}

/// A fault of the server, whose details are for its log alone.
grpc::Status fault(grpc::StatusCode code, std::string_view told, const Error& error) {
  log_fields(LogLevel::kError, "a gRPC call failed", {{"details", std::string_view(error.what())}});
  return {code, format("{}; its log has the details", told)};
}

}  // namespace

grpc::Status grpc_status(const Error& error) {
  if (const auto* storage = dynamic_cast<const StorageError*>(&error)) {
    return fault(grpc_code(storage->fault()), storage_fault_text(storage->fault()), error);
  }
  const grpc::StatusCode code = grpc_code(error.code());
  if (code == grpc::StatusCode::INTERNAL || code == grpc::StatusCode::DATA_LOSS) {
    return fault(code, "something failed in the server", error);
  }
  return {code, error.what()};
}

grpc::Status status_of(const std::function<void()>& work) noexcept {
  try {
    work();
    return grpc::Status::OK;
  } catch (const Error& e) {
    return grpc_status(e);
  } catch (const std::exception& e) {
    return grpc_status(Error(ErrorCode::kInternal, e.what()));
  }
}

SteadyTime deadline_of(const grpc::ServerContextBase& context) {
  const auto left = context.deadline() - std::chrono::system_clock::now();
  return left > std::chrono::hours(24 * 365) ? SteadyTime::max() : SystemClock().steady() + left;
}

std::optional<TraceContext> take_trace(grpc::ServerContextBase& context) {
  const auto field = context.client_metadata().find("traceparent");
  if (field == context.client_metadata().end()) {
    return std::nullopt;
  }
  const auto trace = read_traceparent({field->second.data(), field->second.size()});
  if (trace) {
    context.AddInitialMetadata("traceparent", trace->traceparent());
  }
  return trace;
}

grpc::Status GrpcInference::start(const inference::ModelInferRequest& message,
                                  const grpc::ServerContextBase& context, SteadyTime deadline,
                                  bool run_here) {
  int http = 200;
  const grpc::Status status = status_of([&] {
    try {
      AssignedModel assigned =
          assign_model(core_, message.model_name(), message.model_version(), [&] {
            const auto found = context.client_metadata().find(core_.sticky_header);
            return found == context.client_metadata().end()
                       ? std::string_view()
                       : std::string_view(found->second.data(), found->second.size());
          });
      model_ = std::move(assigned.model);
      request_ = read_infer_request(message, options_.infer);
      call_.emplace(model_, std::move(request_.inputs), [this] {
        const auto on_end = std::move(on_end_);
        on_end();
      });
      call_->set_ticket(std::move(assigned.ticket));
      call_->waiting.deadline = std::min(deadline, deadline_of(request_));
      if (run_here) {
        submit_or_run(core_.scheduler, *call_);
      } else {
        submit(core_.scheduler, *call_);
      }
    } catch (const Error& e) {
      http = http_status(e.code());
      throw;
    }
  });
  if (!status.ok()) {
    count(http);
  }
  return status;
}

bool GrpcInference::cancel() {
  return core_.scheduler.cancel(model_->queue, *call_);
}

grpc::Status GrpcInference::finish(inference::ModelInferResponse& response) {
  int http = 200;
  const grpc::Status status = status_of([&] {
    try {
      if (call_->error()) {
        throw Error(*call_->error());
      }
      write_infer_response({model_->name, format("{}", model_->version), request_.id,
                            choose_outputs(request_, std::move(call_->outputs()), model_->labels)},
                           response);
    } catch (const Error& e) {
      http = http_status(e.code());
      throw;
    }
  });
  count(http);
  return status;
}

/// In statistics, by what HTTP would have said; before the answer, so that they have it when its
/// caller asks for them.
void GrpcInference::count(int status) const {
  if (model_) {
    model_->stats->count_request(Protocol::kGrpc, status,
                                 seconds_between(begun_, SystemClock().steady()));
  }
}

void GrpcInference::log(const grpc::Status& status) const {
  RequestRecord record{.protocol = "grpc",
                       .method = "ModelInfer",
                       .status = status.error_code(),
                       .model = model_.get(),
                       .trace = trace_ ? &*trace_ : nullptr,
                       .begun = begun_,
                       .read = begun_,
                       .answered = SystemClock().steady()};
  if (call_) {
    record.times = call_->times;
  }
  log_request({options_.access_log, options_.slow_request_ms}, record);
}

}  // namespace onnxop
