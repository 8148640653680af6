#pragma once
// GET /metrics: what Prometheus reads, in its text format 0.0.4.

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "onnxop/server/access_gate.h"
#include "onnxop/serving/serving_core.h"

namespace onnxop {

/// What the HTTP server counts itself. Safe from any thread.
class HttpStats {
 public:
  void count_response(int status) {
    const std::lock_guard lock(mutex_);
    ++responses_[status];
  }
  std::map<int, std::uint64_t> responses() const {
    const std::lock_guard lock(mutex_);
    return responses_;
  }

  std::atomic<std::int64_t> connections{0};   // open ones
  std::atomic<std::int64_t> tls_failures{0};  // handshakes

 private:
  mutable std::mutex mutex_;
  std::map<int, std::uint64_t> responses_;
};

/// All figures of now; `gate` may be null; without `grpc_connections` there is no gRPC. Reads /proc
/// for those of the process.
std::string metrics_text(const ServingCore& core, const HttpStats& http, const AccessGate* gate,
                         std::string_view program_version,
                         std::optional<std::int64_t> grpc_connections = std::nullopt);

}  // namespace onnxop
