#pragma once
// The verb bench's measurements of a server over HTTP.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/load/http_client.h"
#include "onnxop/load/http_load.h"
#include "onnxop/load/infer_body.h"
#include "onnxop/load/server_times.h"

namespace onnxop {

/// What a URL is asked.
struct BenchRequest {
  std::string url;
  std::string method;  // "": POST where there is a body, else GET
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> files;  // bodies, sent in turn
  InputShapes shapes;              // of random tensors
  std::uint64_t seed = 1;
};

struct HttpBench {
  HttpTarget target;
  HttpUrl stats;  // where the server's statistics would be
};

/// A URL .../v2/models/NAME (or …/infer) without files is asked with random tensors, as the model's
/// metadata says. Throws Error{kUnavailable} when nobody answers, {kNotFound} for a model that the
/// server does not have, {kInvalidArgument} for a URL or shapes that make no sense.
HttpBench prepare_http_bench(const BenchRequest& request);

struct HttpRow {
  int connections = 1;
  double rate = 0;  // 0: a closed loop
  LoadReport report;
  std::optional<ServerSplit> server;  // of the same windows, where the server tells
};

/// One load. `options` has all but the target and what follows from it.
HttpRow run_http_bench(const HttpBench& bench, HttpLoadOptions options);

}  // namespace onnxop
