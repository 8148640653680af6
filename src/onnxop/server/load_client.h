#pragma once
// A closed-loop HTTP load: each connection sends a request, waits for the answer, sends the next.
// For benchmarks of a server on this machine.

#include <chrono>
#include <cstdint>
#include <string>

namespace onnxop {

struct LoadOptions {
  std::string host = "127.0.0.1";  // an address
  std::uint16_t port = 0;
  std::string path = {};  // POST to it
  std::string body = {};
  int connections = 1;
  std::int64_t requests = 1000;  // in all
  /// No request is begun after that long, and one that takes longer than that is an error.
  std::chrono::milliseconds limit{60'000};
};

struct LoadResult {
  std::int64_t requests = 0;  // answered with 200
  std::int64_t errors = 0;    // other answers, broken connections
  double seconds = 0;
  double rps = 0;  // requests / seconds
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

/// Blocks until all requests are done; works on the calling thread. Throws Error{kInvalidArgument}
/// for options that make no sense, {kUnavailable} when nobody listens there.
LoadResult run_load(const LoadOptions& options);

}  // namespace onnxop
