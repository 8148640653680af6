#pragma once
// For tests: the client of test_http_client.h over TLS.

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "onnxop/server/test_http_client.h"

namespace onnxop::testing_server {

struct TlsClientOptions {
  std::string certificate = "";  // PEM files; "": none
  std::string key = "";
  int max_version = 0;              // TLS1_2_VERSION; 0: any
  std::string_view protocols = "";  // as ALPN writes them; "": says nothing
};

class TlsClient : public Client {
 public:
  /// Throws std::runtime_error when there is no handshake. Looks at no certificate.
  explicit TlsClient(std::uint16_t port, const TlsClientOptions& options = {})
      : Client(port), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
    SSL_CTX_set_security_level(context_.get(), 0);  // for versions that are refused
    if (!options.certificate.empty()) {
      SSL_CTX_use_certificate_chain_file(context_.get(), options.certificate.c_str());
      SSL_CTX_use_PrivateKey_file(context_.get(), options.key.c_str(), SSL_FILETYPE_PEM);
    }
    ssl_.reset(SSL_new(context_.get()));
    if (!options.protocols.empty()) {
      SSL_set_alpn_protos(ssl_.get(),
                          reinterpret_cast<const unsigned char*>(options.protocols.data()),
                          static_cast<unsigned int>(options.protocols.size()));
    }
    SSL_set_fd(ssl_.get(), socket());
    ERR_clear_error();
    if (SSL_connect(ssl_.get()) != 1) {
      const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
      throw std::runtime_error(reason == nullptr ? "no TLS" : reason);
    }
  }

  std::string version() const { return SSL_get_version(ssl_.get()); }

  std::string protocol() const {
    const unsigned char* chosen = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &chosen, &size);
    return {reinterpret_cast<const char*>(chosen), size};
  }

  /// The common name in the server's certificate.
  std::string server_name() const {
    const std::unique_ptr<X509, void (*)(X509*)> certificate(SSL_get1_peer_certificate(ssl_.get()),
                                                             X509_free);
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                              sizeof name);
    return name;
  }

  /// Says that nothing follows.
  void say_goodbye() { SSL_shutdown(ssl_.get()); }

  /// The server has said that nothing follows.
  bool was_told_of_the_end() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }

 protected:
  ssize_t write_some(std::string_view bytes) override {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  }
  ssize_t read_some(char* to, std::size_t size) override {
    errno = 0;
    return SSL_read(ssl_.get(), to, static_cast<int>(size));
  }

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
};

}  // namespace onnxop::testing_server
