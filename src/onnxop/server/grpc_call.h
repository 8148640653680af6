#pragma once
// What the gRPC calls share: statuses, and one inference from its message to its response.

#include <functional>
#include <memory>
#include <optional>

#include <grpcpp/support/status.h>

#include "onnxop/server/grpc_server.h"
#include "onnxop/server/trace.h"
#include "onnxop/serving/traffic_ticket.h"

namespace grpc {
class ServerContextBase;
}

namespace inference {
class ModelInferRequest;
class ModelInferResponse;
}  // namespace inference

namespace onnxop {

/// The one place where an Error becomes gRPC's status.
grpc::Status grpc_status(const Error& error);

/// grpc_status() of what `work` throws; OK when it throws nothing.
grpc::Status status_of(const std::function<void()>& work) noexcept;

/// When the caller wants no answer any more.
SteadyTime deadline_of(const grpc::ServerContextBase& context);

/// The caller's trace, who is told of this server's part in it.
std::optional<TraceContext> take_trace(grpc::ServerContextBase& context);

/// One inference; the message outlives it.
class GrpcInference {
 public:
  /// `on_end` is told once, from any thread, and may destroy this; not when start() has failed, or
  /// cancel() returned true.
  GrpcInference(const GrpcOptions& options, const ServingCore& core, std::function<void()> on_end)
      : options_(options), core_(core), on_end_(std::move(on_end)) {}

  /// Before start(): the trace that the caller is in.
  void set_trace(std::optional<TraceContext> trace) { trace_ = trace; }

  /// What is wrong with the message, or with the moment. `context` says who asks.
  /// `run_here`: the calling thread may run the model itself, where an executor is free.
  grpc::Status start(const inference::ModelInferRequest& message,
                     const grpc::ServerContextBase& context, SteadyTime deadline, bool run_here);
  /// True: it was still waiting for an executor.
  bool cancel();
  /// After the end; fills the response where that is OK.
  grpc::Status finish(inference::ModelInferResponse& response);
  /// Once start() or finish() said how it went; best when the answer is on its way.
  void log(const grpc::Status& status) const;

 private:
  void count(int http_status) const;

  const GrpcOptions& options_;
  const ServingCore& core_;
  std::function<void()> on_end_;
  InferRequest request_;
  ModelLease model_;
  std::optional<TensorCall> call_;
  std::optional<TraceContext> trace_;
  SteadyTime begun_ = SystemClock().steady();
};

}  // namespace onnxop
