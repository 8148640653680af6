#pragma once
// Loads an HTTP/1.1 server: as a closed loop, in which each connection sends a request, waits for
// the answer and sends the next, or as an open loop, in which requests are due at random times of a
// given rate whatever the server does.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/load/measure.h"

namespace onnxop {

/// What is asked, again and again.
struct HttpTarget {
  std::string host = "127.0.0.1";  // a name or an address
  std::uint16_t port = 80;
  std::string method = "POST";
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> headers;  // besides Host and Content-Length
  std::vector<std::string> bodies;  // sent in turn; empty: requests have none
};

struct HttpLoadOptions {
  HttpTarget target;
  int connections = 1;  // kept open; each has one request under way at most
  /// 0: a closed loop. Over 0: requests are due at so many a second, at intervals of an exponential
  /// distribution; one that is due while all connections are busy waits for the next free one, and
  /// its latency counts from when it was due.
  double rate = 0;
  std::uint64_t seed = 1;  // of the intervals
  int threads = 1;         // that share the connections
  bool polls = false;  // they never sleep: their waking up is in no latency; a processor for each
  std::chrono::milliseconds timeout{60'000};  // a request that takes longer is an error
  WindowRule windows;
  std::function<void()> at_boundary = {};  // called before the first window and after each
};

/// Blocks until the windows agree or are enough. With windows of `requests`, at most `requests`
/// times `most` are sent: exactly that many where `most` is 1. Throws Error{kInvalidArgument} for
/// options that make no sense, {kUnavailable} when nobody answers there to begin with.
LoadReport run_http_load(const HttpLoadOptions& options);

}  // namespace onnxop
