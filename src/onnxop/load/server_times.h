#pragma once
// Where the time of requests went in a server that tells it as Triton does (GET
// /v2/models[/NAME]/stats). Pure functions; safe from any thread.

#include <cstdint>
#include <string_view>

namespace onnxop {

/// Sums since the server's start, over all models that it told of.
struct ServerTimes {
  std::int64_t requests = 0;  // that succeeded
  std::int64_t queue_ns = 0;
  std::int64_t compute_input_ns = 0;
  std::int64_t compute_infer_ns = 0;
  std::int64_t compute_output_ns = 0;
};

/// Throws Error{kInvalidArgument} for a body that is no such statistics.
ServerTimes parse_server_times(std::string_view body);

/// What came between two of them.
ServerTimes difference(const ServerTimes& before, const ServerTimes& after);

/// Means of one request, in milliseconds.
struct ServerSplit {
  std::int64_t requests = 0;
  double queue_ms = 0;
  double compute_ms = 0;  // its three parts together
  double compute_input_ms = 0, compute_infer_ms = 0, compute_output_ms = 0;
};

ServerSplit split_of(const ServerTimes& times);

}  // namespace onnxop
