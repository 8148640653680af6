// onnxop-bench: prints a table and writes the same figures as JSON.

#include <iostream>
#include <set>
#include <string>

#include "bench/bench.h"
#include "bench/bench_models.h"
#include "bench/figures.h"
#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/registry/registry.h"
#include "support/program.h"

namespace onnxop::bench {
namespace {

/// A store for the server.
void fill_store(const std::filesystem::path& store, const std::filesystem::path& digits,
                const std::filesystem::path& residual) {
  const SystemClock clock;
  Registry registry(store, clock);
  registry.models().publish({.name = "mnist", .model_file = digits, .source = "benchmark"});
  registry.models().publish({.name = "residual", .model_file = residual, .source = "benchmark"});
}

/// The parts whose names are in `wanted`, or all when that is empty. The digits' network is trained
/// a little in any case.
void run(const std::filesystem::path& out, const std::set<std::string>& wanted) {
  const testing_support::TempDir work;
  const auto digits = work.path() / "model.onnx";
  const auto residual = work.path() / "residual.onnx";
  const auto store = work.path() / "store";
  const auto spec = testing_support::source_dir() / "examples" / "mnist.yaml";
  const bool all = wanted.empty();
  Json result{{"processor", processor()}};
  const auto part = [&](const std::string& name, const std::string& title, const auto& measure) {
    if (all || wanted.contains(name)) {
      std::cout << title << std::endl;
      const Json measured = measure();
      print_figures(measured, "");
      result.update(measured);
    }
  };
  const int training_rounds = all || wanted.contains("train") ? 9 : 1;
  const Json training = measure_training(spec, digits, training_rounds);
  part("train", "training, with the matrix-multiply peak in turn", [&] { return training; });
  write_residual_network(residual);
  fill_store(store, digits, residual);
  part("score", "scoring in process", [&] { return Json{{"score", measure_scoring(digits)}}; });
  part("serve", "serving", [&] { return measure_serving(store); });
  part("tax", "serving beside the engine alone",
       [&] { return measure_tax(store, digits, residual); });
  part("scale", "many connections and models", [&] { return measure_scale(store, digits); });
  part("peers", "other servers", [&] { return measure_peers(store, digits); });
  part("size", "size", [] { return measure_size(); });
  write_file_atomically(out, as_bytes(dump_json_pretty(result) + "\n"));
  std::cout << "written: " << out.string() << '\n';
}

}  // namespace

}  // namespace onnxop::bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() >= 2 && words[0] == "--out") {
      onnxop::bench::run(words[1], {words.begin() + 2, words.end()});
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
  std::cerr << "usage: onnxop-bench --out bench.json [train|score|serve|tax|scale|peers|size]… | "
               "--profile "
               "SPEC.yaml\n";
  return 2;
}
