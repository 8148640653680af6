#include "onnxop/cli/serve_security.h"

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"

namespace onnxop {
namespace {

constexpr const char* kGroup = "TLS";

}  // namespace

void declare_tls(CLI::App& command, TlsFiles& files) {
  command
      .add_option("--tls-cert", files.certificate,
                  "Serve over TLS, HTTP and gRPC: a PEM file with the certificate, then those "
                  "between it and a root; read again at SIGHUP")
      ->group(kGroup);
  command.add_option("--tls-key", files.key, "The certificate's private key, PEM, not encrypted")
      ->group(kGroup);
  command
      .add_option("--tls-client-ca", files.client_ca,
                  "Let in only clients with a certificate that one of these CAs signed, PEM")
      ->group(kGroup);
}

std::shared_ptr<TlsCertificates> load_tls(const TlsFiles& files) {
  if (files.certificate.empty() != files.key.empty()) {
    throw UsageError(files.key.empty() ? "--tls-cert needs --tls-key"
                                       : "--tls-key needs --tls-cert");
  }
  if (files.certificate.empty()) {
    if (!files.client_ca.empty()) {
      throw UsageError("--tls-client-ca needs --tls-cert and --tls-key");
    }
    return nullptr;
  }
  return std::make_shared<TlsCertificates>(files);
}

std::function<void()> tls_reloader(const std::shared_ptr<TlsCertificates>& certificates) {
  if (!certificates) {
    return nullptr;
  }
  return [certificates] {
    try {
      certificates->reload();
      log_info("new connections get the certificate as it is now");
    } catch (const Error& e) {
      log_error("the certificate that was read before goes on: {}", e.what());
    }
  };
}

}  // namespace onnxop
