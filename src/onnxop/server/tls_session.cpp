#include "onnxop/server/tls_session.h"

#include <cerrno>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

/// What recv() and send() said, as OpenSSL wants to hear it.
int moved(BIO* bio, ssize_t count, std::size_t* bytes, void (*retry)(BIO*)) {
  BIO_clear_retry_flags(bio);
  if (count > 0) {
    *bytes = static_cast<std::size_t>(count);
    return 1;
  }
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    retry(bio);
  }
  return 0;
}

int read_socket(BIO* bio, char* to, std::size_t size, std::size_t* bytes) {
  return moved(bio, ::recv(socket_of(bio), to, size, MSG_DONTWAIT), bytes,
               [](BIO* each) { BIO_set_retry_read(each); });
}

/// OpenSSL's own would end the program with SIGPIPE when the client has gone.
int write_socket(BIO* bio, const char* from, std::size_t size, std::size_t* bytes) {
  return moved(bio, ::send(socket_of(bio), from, size, MSG_DONTWAIT | MSG_NOSIGNAL), bytes,
               [](BIO* each) { BIO_set_retry_write(each); });
}

long control_socket(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "onnxop socket");
    BIO_meth_set_read_ex(made, read_socket);
    BIO_meth_set_write_ex(made, write_socket);
    BIO_meth_set_ctrl(made, control_socket);
    return made;
  }();
  return method;
}

}  // namespace

void TlsSession::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

TlsSession::TlsSession(const TlsCredentials& credentials, TlsProtocol protocol, int socket)
    : ssl_(SSL_new(credentials.context(protocol))) {
  BIO* const bio = ssl_ ? BIO_new(socket_method()) : nullptr;
  if (bio == nullptr) {
    fail(ErrorCode::kInternal, "no memory for a TLS connection");
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsSession::Outcome TlsSession::outcome_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
      return Outcome::kDone;
    case SSL_ERROR_WANT_READ:
      return Outcome::kNeedsInput;
    case SSL_ERROR_WANT_WRITE:
      return Outcome::kNeedsOutput;
    case SSL_ERROR_SSL: {
      const unsigned long code = ERR_peek_last_error();
      const char* const reason = ERR_reason_error_string(code);
      problem_ = reason == nullptr ? "unknown" : reason;
      plain_http_ = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
      break;
    }
    default:
      break;
  }
  return Outcome::kEnd;
}

TlsSession::Outcome TlsSession::shake_hands() {
  ERR_clear_error();
  return outcome_of(SSL_accept(ssl_.get()));
}

TlsSession::Outcome TlsSession::look_for_input() {
  char byte = 0;
  std::size_t count = 0;
  ERR_clear_error();
  return outcome_of(SSL_peek_ex(ssl_.get(), &byte, 1, &count));
}

TlsSession::Moved TlsSession::read(std::span<char> to) {
  Moved result;
  ERR_clear_error();
  result.outcome = outcome_of(SSL_read_ex(ssl_.get(), to.data(), to.size(), &result.bytes));
  return result;
}

TlsSession::Moved TlsSession::write(std::span<const char> from) {
  Moved result;
  ERR_clear_error();
  result.outcome = outcome_of(SSL_write_ex(ssl_.get(), from.data(), from.size(), &result.bytes));
  return result;
}

void TlsSession::end() {
  if (SSL_is_init_finished(ssl_.get()) == 1 && problem_.empty()) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
}

bool TlsSession::has_input() const {
  return SSL_has_pending(ssl_.get()) == 1;
}

}  // namespace onnxop
