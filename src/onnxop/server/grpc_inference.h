#pragma once
// One inference of a gRPC call, from its message to its answer.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "onnxop/server/grpc_call.h"
#include "onnxop/server/grpc_server.h"
#include "onnxop/server/trace.h"
#include "onnxop/serving/traffic_ticket.h"

namespace inference {
class ModelInferRequest;
class ModelInferResponse;
}  // namespace inference

namespace onnxop {

/// Used on its I/O thread; an executor makes its answer.
class GrpcInference : public GrpcWork, public std::enable_shared_from_this<GrpcInference> {
 public:
  /// `head` is looked at until begin() has ended or abandon() was called. `on_done` is called once,
  /// in begin() or later, unless abandon() is called before.
  GrpcInference(const GrpcOptions& options, const ServingCore& core, GrpcThread& thread,
                const GrpcHead& head, GrpcMessage message, std::function<void()> on_done);
  ~GrpcInference() override;

  /// Before begin(): the trace that the caller is in.
  void set_trace(std::optional<TraceContext> trace) { trace_ = trace; }
  /// Before begin(): answers are messages of ModelStreamInfer, each with its own error.
  void set_streamed() { streamed_ = true; }
  /// Before begin(): it ends with that.
  void refuse(GrpcStatus status) { status_ = std::move(status); }

  /// `run_here`: this thread may run the model itself, where an executor is free.
  void begin(bool run_here);
  /// Nobody waits for it any more: where it waits for an executor, it will not be run.
  void abandon();
  void give_up() override { abandon(); }

  /// How it went; the answer is a message with its prefix where that is OK, or streamed.
  const GrpcStatus& status() const { return status_; }
  std::string take_answer() { return std::move(answer_); }

  /// When its answer is on its way.
  void log() const;

 private:
  void on_ready() override;
  GrpcStatus start(bool run_here);
  void ended();
  void make_answer() noexcept;
  void fill(inference::ModelInferResponse& response);
  void count(int http_status) const;
  void done();

  const GrpcOptions& options_;
  const ServingCore& core_;
  GrpcThread& thread_;
  const GrpcHead* head_;  // null: abandoned
  std::function<void()> on_done_;
  // The tensors look into both.
  GrpcMessage message_;
  std::unique_ptr<inference::ModelInferRequest> parsed_;
  InferRequest request_;
  ModelLease model_;
  std::optional<TensorCall> call_;
  std::optional<CallTimes> times_;  // once it is over
  std::optional<TraceContext> trace_;
  SteadyTime begun_;
  GrpcStatus status_;
  std::string answer_;
  bool streamed_ = false;
  bool ended_ = false;  // in begin()
};

}  // namespace onnxop
