// onnxop-bench: prints a table and writes the same figures as JSON.

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>

#include "bench/bench.h"
#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "support/program.h"

namespace onnxop::bench {
namespace {

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

void run(const std::filesystem::path& out) {
  const testing_support::TempDir work;
  const auto model = work.path() / "model.onnx";
  const auto spec = testing_support::source_dir() / "examples" / "mnist.yaml";
  constexpr int kRounds = 9;
  Json result{{"processor", processor()}};
  const auto add = [&result](const Json& part) {
    print_figures(part, "");
    result.update(part);
  };
  std::cout << "training, with the matrix-multiply peak in turn\n";
  add(measure_training(spec, model, kRounds));
  std::cout << "scoring in process\n";
  add({{"score", measure_scoring(model)}});
  std::cout << "serving\n";
  add(measure_serving(model, 1e6 / result["score"]["batch_1_us"].get<double>()));
  std::cout << "size\n";
  add(measure_size());
  write_file_atomically(out, as_bytes(dump_json_pretty(result) + "\n"));
  std::cout << "written: " << out.string() << '\n';
}

}  // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace onnxop::bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 2 && words[0] == "--out") {
      onnxop::bench::run(words[1]);
      return 0;
    }
    if (words.size() == 2 && words[0] == "--profile") {
      std::cout << onnxop::bench::profile_table(words[1], false) << '\n'
                << onnxop::bench::profile_table(words[1], true);
      return 0;
    }
  } catch (const onnxop::Error& e) {
    std::cerr << "onnxop-bench: " << e.what() << '\n';
    return 1;
  }
  std::cerr << "usage: onnxop-bench --out bench.json | --profile SPEC.yaml\n";
  return 2;
}
