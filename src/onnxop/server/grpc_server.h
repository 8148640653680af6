#pragma once
// The gRPC service: inference.GRPCInferenceService with Triton's extensions, grpc.health.v1.Health
// and reflection, on a port and I/O threads of its own. Models run on the executors, or on an I/O
// thread where that is quicker.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "onnxop/server/access_gate.h"
#include "onnxop/server/grpc_limits.h"
#include "onnxop/server/tls_credentials.h"
#include "onnxop/serving/serving_core.h"
#include "onnxop/wire/oip_request.h"

namespace onnxop {

struct GrpcOptions {
  std::string host = "127.0.0.1";
  int port = 8081;  // 0: a free one, see GrpcServer::port()
  GrpcLimits limits = {};
  int threads = 1;  // that read and write, and answer what takes no executor
  /// So long such a thread looks for the next call before it sleeps; see ServerOptions::spin.
  std::chrono::microseconds spin{100};
  int max_stream_inferences = 64;  // of one stream that are not answered yet; then it waits
  /// Who may do what; null: everyone everything.
  std::shared_ptr<AccessGate> gate = nullptr;
  /// The management has a port of its own, over HTTP: here models are not loaded and unloaded.
  bool management_apart = false;
  /// The certificates to serve with over TLS; null: in clear.
  std::shared_ptr<const TlsCertificates> tls = nullptr;
  InferLimits infer = {};
  bool access_log = true;         // one line a request, at level info
  double slow_request_ms = 1000;  // requests that took longer are logged apart; 0: none are
};

class GrpcServer {
 public:
  /// Serves when it returns, until stop(); what `core` names outlives it. Throws
  /// Error{kFailedPrecondition} when it cannot listen.
  GrpcServer(const GrpcOptions& options, const ServingCore& core, std::string program_version);
  /// As stop() without patience.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  std::uint16_t port() const;

  /// Open ones, also those in their handshake. From any thread.
  std::int64_t connections() const;

  /// Health says NOT_SERVING from now on; what is in flight goes on. From any thread.
  void begin_drain();

  /// No new calls; waits for those in flight as long as that, then cuts them off. Once.
  void stop(std::chrono::milliseconds patience);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onnxop
