#pragma once
// Who the server says it is: a certificate and its key, and the CAs whose clients it lets in, from
// PEM files (RFC 7468) that can be read again while it runs.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace onnxop {

struct TlsFiles {
  std::filesystem::path certificate;  // the server's, then those between it and a root
  std::filesystem::path key;          // not encrypted
  std::filesystem::path client_ca;    // who signs clients' certificates; empty: they need none
};

/// What is spoken over TLS, as the two sides agree on it (ALPN, RFC 7301): HTTP/1.1 or HTTP/2.
enum class TlsProtocol : std::uint8_t { kHttp1, kHttp2 };

/// What the files held at one time. Immutable; used from any thread.
class TlsCredentials {
 public:
  /// Throws Error{kNotFound} or {kIo} for a file that cannot be read, {kInvalidArgument} for one
  /// that holds something else, and for a key that is not the certificate's. All name the file.
  explicit TlsCredentials(const TlsFiles& files);

  /// For TLS 1.2 and later.
  ssl_ctx_st* context(TlsProtocol protocol) const {
    return contexts_[static_cast<std::size_t>(protocol)].get();
  }

 private:
  std::array<std::shared_ptr<ssl_ctx_st>, 2> contexts_;  // of each protocol
};

/// The latest credentials that could be read. Safe from any thread.
class TlsCertificates {
 public:
  /// Throws as TlsCredentials.
  explicit TlsCertificates(TlsFiles files);

  /// Never null.
  std::shared_ptr<const TlsCredentials> current() const;

  /// Reads the files again, for the connections that begin afterwards. Throws as TlsCredentials;
  /// then nothing has changed.
  void reload();

 private:
  const TlsFiles files_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsCredentials> current_;
};

}  // namespace onnxop
