#pragma once
// What HTTP alone costs: a server that reads requests and answers the same bytes to each, with
// Boost.Beast's own parser and coroutines, on one thread.

#include <cstdint>
#include <memory>
#include <string>

namespace onnxop::bench {

class EchoServer {
 public:
  /// Answers on 127.0.0.1 from now on, until the object's end.
  explicit EchoServer(std::string answer_body);
  ~EchoServer();
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  std::uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onnxop::bench
