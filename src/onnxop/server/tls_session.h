#pragma once
// The TLS side of one connection, over a socket that does not block: no step waits, each says what
// the socket must be ready for before it is tried again. On the connection's I/O thread.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "onnxop/server/tls_credentials.h"

struct ssl_st;  // OpenSSL's SSL

namespace onnxop {

class TlsSession {
 public:
  enum class Outcome : std::uint8_t {
    kDone,
    kNeedsInput,   // again when the socket can be read
    kNeedsOutput,  // again when it can be written
    kEnd,          // the client has ended it, is gone, or broke the rules: see problem()
  };

  struct Moved {
    Outcome outcome = Outcome::kDone;
    std::size_t bytes = 0;
  };

  /// Throws Error{kInternal} when there is no memory for it. The socket's owner is the caller.
  TlsSession(const TlsCredentials& credentials, TlsProtocol protocol, int socket);

  Outcome shake_hands();
  /// kDone: there are bytes to read.
  Outcome look_for_input();
  Moved read(std::span<char> to);
  /// All of `from` or nothing; at most kLargestRecord. After kNeeds…: the same bytes again.
  Moved write(std::span<const char> from);
  /// Tells the client that nothing follows, if that is possible at once.
  void end();

  /// Bytes have come that were not read.
  bool has_input() const;
  /// Why it has ended; empty when the client just went.
  const std::string& problem() const { return problem_; }
  /// What has come in place of a handshake is a request in clear.
  bool is_plain_http() const { return plain_http_; }

  static constexpr std::size_t kLargestRecord = 16U << 10;

 private:
  Outcome outcome_of(int result);

  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  std::unique_ptr<ssl_st, Free> ssl_;
  std::string problem_;
  bool plain_http_ = false;
};

}  // namespace onnxop
