#pragma once
// TLS for gRPC with certificates that can change while it runs: each connection is given the latest
// ones.

#include <memory>
#include <mutex>

#include <grpcpp/security/server_credentials.h>

#include "onnxop/server/tls_credentials.h"

struct grpc_ssl_server_certificate_config;

namespace onnxop {

/// What gRPC asks before a handshake. Outlives the gRPC server. Safe from any thread.
class GrpcCertificates {
 public:
  explicit GrpcCertificates(std::shared_ptr<const TlsCertificates> certificates);

  /// For ServerBuilder.
  std::shared_ptr<grpc::ServerCredentials> credentials();

 private:
  /// Null when gRPC has the latest ones already. Its new owner is gRPC.
  grpc_ssl_server_certificate_config* take_if_new();

  const std::shared_ptr<const TlsCertificates> certificates_;
  std::mutex mutex_;
  std::shared_ptr<const TlsCredentials> given_;
};

}  // namespace onnxop
