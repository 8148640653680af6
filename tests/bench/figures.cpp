#include "bench/figures.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <vector>

#include "bench/bench.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"

namespace onnxop::bench {

void print_figures(const Json& json, const std::string& prefix) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_object()) {
      print_figures(value, prefix + key + ".");
    } else if (value.is_number()) {
      std::cout << format("  {:<36}{:>14.4g}\n", prefix + key, value.get<double>());
    } else {
      std::cout << format("  {:<36}{:>14}\n", prefix + key, dump_json(value));
    }
  }
  std::cout << std::flush;
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace onnxop::bench
