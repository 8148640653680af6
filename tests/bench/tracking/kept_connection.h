#pragma once
// One HTTP/1.1 connection that is kept open, and a pool of them: what a client of the tracking
// interface does. For one thread at a time; the pool is for any.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/load/http_client.h"

namespace onnxop::bench {

class KeptConnection {
 public:
  /// Connects to 127.0.0.1 at the first request. It waits for `seconds` at most for bytes.
  explicit KeptConnection(std::uint16_t port, int seconds = 600);
  ~KeptConnection();
  KeptConnection(const KeptConnection&) = delete;
  KeptConnection& operator=(const KeptConnection&) = delete;

  /// Connects again where the server has closed the connection since the request before. Throws
  /// Error{kUnavailable} when nobody answers, {kInternal} for what is no HTTP.
  HttpAnswer send(std::string_view method, std::string_view path, std::string_view json);

 private:
  void connect();
  void close();
  bool write(std::string_view bytes);
  bool read_more();
  HttpAnswer read_answer();
  std::string read_chunks(std::size_t from);

  std::uint16_t port_;
  int seconds_;
  int socket_ = -1;
  std::string in_;
};

class ConnectionPool {
 public:
  explicit ConnectionPool(std::uint16_t port) : port_(port) {}

  /// The body of an answer of status 200. Throws Error{kInternal} for others.
  std::string send(std::string_view method, std::string_view path, std::string_view json = {});

 private:
  std::uint16_t port_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<KeptConnection>> idle_;
};

}  // namespace onnxop::bench
