#include "onnxop/server/tls_credentials.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"

namespace onnxop {
namespace {

constexpr std::uint64_t kLargestFile = 4U << 20;
// Of TLS 1.2; those of 1.3 are all as they should be.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
// As ALPN writes them.
constexpr std::array<std::string_view, 2> kProtocols{"\x08http/1.1", "\x02h2"};

struct FreeOpenSsl {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeOpenSsl>;

/// What OpenSSL says of the last failure.
std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "no reason given" : reason;
}

std::string read_pem(const std::filesystem::path& path, std::string_view what) {
  try {
    return read_text_file(path, kLargestFile);
  } catch (const Error& e) {
    fail(e.code(), "{}: {}", what, e.what());
  }
}

Owned<BIO> bytes_of(const std::string& pem) {
  return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

std::vector<Owned<X509>> parse_certificates(const std::string& pem,
                                            const std::filesystem::path& path) {
  std::vector<Owned<X509>> certificates;
  const Owned<BIO> bytes = bytes_of(pem);
  ERR_clear_error();
  while (X509* const each = PEM_read_bio_X509_AUX(bytes.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(each);
  }
  const unsigned long code = ERR_peek_last_error();
  if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE) {
    fail(ErrorCode::kInvalidArgument, "{}: certificate {} cannot be read: {}", path.string(),
         certificates.size() + 1, openssl_reason());
  }
  ERR_clear_error();
  if (certificates.empty()) {
    fail(ErrorCode::kInvalidArgument,
         "{} holds no certificate, expected PEM that begins with '-----BEGIN CERTIFICATE-----'",
         path.string());
  }
  return certificates;
}

/// Nobody is there to be asked for one.
int refuse_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Owned<EVP_PKEY> parse_key(const std::string& pem, const std::filesystem::path& path) {
  const Owned<BIO> bytes = bytes_of(pem);
  bool encrypted = false;
  Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bytes.get(), nullptr, refuse_password, &encrypted));
  if (encrypted) {
    fail(ErrorCode::kInvalidArgument, "{} is encrypted, expected a key without a password",
         path.string());
  }
  if (!key) {
    fail(ErrorCode::kInvalidArgument, "{} holds no private key in PEM: {}", path.string(),
         openssl_reason());
  }
  return key;
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void* spoken) {
  const std::string_view protocol = *static_cast<const std::string_view*>(spoken);
  const std::string_view offers(reinterpret_cast<const char*>(offered), offered_size);
  for (std::size_t at = 0; at < offers.size(); at += 1 + static_cast<unsigned char>(offers[at])) {
    if (offers.substr(at, protocol.size()) == protocol) {
      *chosen = offered + at + 1;
      *chosen_size = static_cast<unsigned char>(protocol.size() - 1);
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void check_openssl(bool succeeded, const std::filesystem::path& path) {
  if (!succeeded) {
    fail(ErrorCode::kInvalidArgument, "{} cannot be used: {}", path.string(), openssl_reason());
  }
}

std::shared_ptr<SSL_CTX> make_context(const std::string_view& protocol) {
  std::shared_ptr<SSL_CTX> made(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* const context = made.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, kCiphers) != 1) {
    fail(ErrorCode::kInternal, "TLS cannot be set up: {}", openssl_reason());
  }
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection holds no buffers; a write is tried again from where its bytes are then.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // clients keep their tickets
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, const_cast<std::string_view*>(&protocol));
  return made;
}

void use_certificates(SSL_CTX* context, std::vector<Owned<X509>> chain, const TlsFiles& files) {
  check_openssl(SSL_CTX_use_certificate(context, chain.front().get()) == 1, files.certificate);
  for (auto each = std::next(chain.begin()); each != chain.end(); ++each) {
    check_openssl(SSL_CTX_add1_chain_cert(context, each->get()) == 1, files.certificate);
  }
}

void require_clients_of(SSL_CTX* context, const std::vector<Owned<X509>>& authorities,
                        const TlsFiles& files) {
  X509_STORE* const trusted = SSL_CTX_get_cert_store(context);
  for (const Owned<X509>& each : authorities) {
    check_openssl(X509_STORE_add_cert(trusted, each.get()) == 1 &&
                      SSL_CTX_add_client_CA(context, each.get()) == 1,
                  files.client_ca);
  }
  constexpr std::string_view kName = "onnxop";  // sessions are of no use to other programs
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kName.data()),
                                 static_cast<unsigned int>(kName.size()));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

}  // namespace

TlsCredentials::TlsCredentials(const TlsFiles& files) {
  const std::string certificate = read_pem(files.certificate, "the TLS certificate");
  const std::string key_pem = read_pem(files.key, "the TLS key");
  const std::string client_ca =
      files.client_ca.empty() ? "" : read_pem(files.client_ca, "the TLS client CA");
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    auto context = make_context(kProtocols[i]);
    use_certificates(context.get(), parse_certificates(certificate, files.certificate), files);
    const Owned<EVP_PKEY> key = parse_key(key_pem, files.key);
    if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 ||
        SSL_CTX_check_private_key(context.get()) != 1) {
      fail(ErrorCode::kInvalidArgument,
           "the key in {} is not that of the certificate in {} (its first one): {}",
           files.key.string(), files.certificate.string(), openssl_reason());
    }
    if (!files.client_ca.empty()) {
      require_clients_of(context.get(), parse_certificates(client_ca, files.client_ca), files);
    }
    contexts_[i] = std::move(context);
  }
}

TlsCertificates::TlsCertificates(TlsFiles files)
    : files_(std::move(files)), current_(std::make_shared<const TlsCredentials>(files_)) {}

std::shared_ptr<const TlsCredentials> TlsCertificates::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void TlsCertificates::reload() {
  auto fresh = std::make_shared<const TlsCredentials>(files_);
  const std::lock_guard lock(mutex_);
  current_ = std::move(fresh);
}

}  // namespace onnxop
