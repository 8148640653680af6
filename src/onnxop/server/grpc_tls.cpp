#include "onnxop/server/grpc_tls.h"

#include <string>
#include <utility>

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

/// gRPC's C++ interface reads certificates once, or polls files without looking whether key and
/// certificate belong together; its C interface asks for them.
class ReloadingCredentials : public grpc::ServerCredentials {
 public:
  explicit ReloadingCredentials(grpc_server_credentials* credentials) : credentials_(credentials) {}
  ~ReloadingCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {
    fail(ErrorCode::kInternal, "these credentials process no metadata");
  }

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* credentials_;
};

}  // namespace

GrpcCertificates::GrpcCertificates(std::shared_ptr<const TlsCertificates> certificates)
    : certificates_(std::move(certificates)) {}

std::shared_ptr<grpc::ServerCredentials> GrpcCertificates::credentials() {
  const auto fetch = [](void* self, grpc_ssl_server_certificate_config** config) {
    *config = static_cast<GrpcCertificates*>(self)->take_if_new();
    return *config == nullptr ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED
                              : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  };
  const bool asks_clients = !certificates_->current()->client_ca_pem().empty();
  auto* const options = grpc_ssl_server_credentials_create_options_using_config_fetcher(
      asks_clients ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                   : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
      fetch, this);
  return std::make_shared<ReloadingCredentials>(
      grpc_ssl_server_credentials_create_with_options(options));
}

grpc_ssl_server_certificate_config* GrpcCertificates::take_if_new() {
  const std::lock_guard lock(mutex_);
  auto current = certificates_->current();
  if (current == given_) {
    return nullptr;
  }
  given_ = std::move(current);
  const grpc_ssl_pem_key_cert_pair pair{given_->key_pem().c_str(),
                                        given_->certificate_pem().c_str()};
  // gRPC wants certificates here even where no clients are asked for theirs.
  const std::string& client_ca =
      given_->client_ca_pem().empty() ? given_->certificate_pem() : given_->client_ca_pem();
  return grpc_ssl_server_certificate_config_create(client_ca.c_str(), &pair, 1);
}

}  // namespace onnxop
