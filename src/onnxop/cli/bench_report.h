#pragma once
// The verb bench's results as a table and as JSON.

#include <string>
#include <vector>

#include "onnxop/base/json.h"
#include "onnxop/cli/bench_http.h"
#include "onnxop/cli/bench_raw.h"

namespace onnxop {

struct BenchResult {
  std::string target;  // the URL or the model
  std::vector<HttpRow> http;
  std::vector<RawRow> raw;
};

std::string bench_table(const BenchResult& result);
Json bench_json(const BenchResult& result);

}  // namespace onnxop
