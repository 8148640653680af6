#pragma once
// Bytes of one HTTP/1 request to a Request: no sockets, no waiting. What breaks the rules or a
// limit becomes a problem with the status to answer; the connection is of no use after it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "onnxop/server/http_message.h"
#include "onnxop/server/server_options.h"

namespace onnxop {

struct HttpProblem {
  int status = 400;
  std::string message;
};

/// One thread at a time.
class RequestParser {
 public:
  RequestParser(const HttpLimits& limits, Request& request);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  /// Forgets everything, the request too, for the next one.
  void reset();

  /// Takes bytes of the head, and stops behind it, or of the body, and stops behind that. Returns
  /// how many are used up; the others must be given again, with more behind them.
  std::size_t feed(std::string_view bytes);

  /// What to answer when no more bytes come.
  HttpProblem end_of_input() const;

  bool head_done() const;
  bool done() const;
  const std::optional<HttpProblem>& problem() const;

  // After the head.
  bool keep_alive() const;
  bool http10() const;
  bool expects_continue() const;
  bool has_body() const;
  /// What Content-Length says; 0 where there is none.
  std::uint64_t body_length() const;
  /// How large the body may be: a problem where it is going to be larger. Without this it is what
  /// the limits say.
  void limit_body(std::uint64_t most);
  /// The rest of the body is read, within the limits, and forgotten.
  void discard_body();

 private:
  class Parser;
  const HttpLimits& limits_;
  Request& request_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace onnxop
