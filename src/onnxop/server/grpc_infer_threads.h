#pragma once
// ModelInfer, and the threads that read and answer it. The other methods are gRPC's own threads'
// (its callback API), who would run models one by one while other calls wait unread. Here a thread
// takes all that has come from a completion queue of its own: calls that come together are batched.
// It does not look before it sleeps, as the threads of HTTP do: it is gRPC's threads that hear of
// what comes, and wake it.

#include <atomic>
#include <memory>
#include <vector>

#include "onnxop/server/grpc_service.h"

namespace grpc {
class ServerBuilder;
}

namespace onnxop {

class GrpcInferThreads {
 public:
  /// What these name outlives it. Before the server is built.
  GrpcInferThreads(const GrpcOptions& options, const ServingCore& core, GrpcService& service,
                   grpc::ServerBuilder& builder);
  /// Without start(): nothing ran.
  ~GrpcInferThreads();
  GrpcInferThreads(const GrpcInferThreads&) = delete;
  GrpcInferThreads& operator=(const GrpcInferThreads&) = delete;

  /// Once the server is built.
  void start();
  /// Before the server's shutdown: who is answered makes room for nobody any more.
  void take_no_more() { stopping_ = true; }
  /// After the server's shutdown: returns when all calls have ended.
  void stop();

 private:
  class Call;
  class Thread;

  const GrpcOptions& options_;
  const ServingCore& core_;
  GrpcService& service_;
  std::atomic<bool> stopping_{false};
  // Calls that came; who has answered one tells it here, when all else may be gone.
  std::shared_ptr<std::atomic<int>> unanswered_ = std::make_shared<std::atomic<int>>(0);
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace onnxop
