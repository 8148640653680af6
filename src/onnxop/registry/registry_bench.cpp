#include <filesystem>
#include <fstream>
#include <string>

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include "onnxop/registry/registry.h"

namespace onnxop {
namespace {

class BenchStore {
 public:
  BenchStore() {
    std::string name = (std::filesystem::temp_directory_path() / "onnxop-bench.XXXXXX").string();
    folder_ = mkdtemp(name.data());
    std::ofstream(folder_ / "in.onnx") << std::string(500'000, 'm');
  }
  ~BenchStore() { std::filesystem::remove_all(folder_); }

  std::filesystem::path dir() const { return folder_ / "store"; }
  std::filesystem::path model() const { return folder_ / "in.onnx"; }

 private:
  std::filesystem::path folder_;
};

const SystemClock kClock;

// What a starting server does.
void bench_open_and_resolve(benchmark::State& state) {
  const BenchStore store;
  Registry(store.dir(), kClock).register_model("mnist", store.model(), "", "bench");
  for (auto _ : state) {
    benchmark::DoNotOptimize(Registry(store.dir(), kClock, true).resolve("mnist"));
  }
}
BENCHMARK(bench_open_and_resolve)->Unit(benchmark::kMicrosecond);

void bench_register_model(benchmark::State& state) {
  const BenchStore store;
  Registry registry(store.dir(), kClock);
  for (auto _ : state) {
    registry.register_model("mnist", store.model(), "", "bench");
  }
}
BENCHMARK(bench_register_model)->Unit(benchmark::kMicrosecond);

void bench_log_metrics(benchmark::State& state) {
  const BenchStore store;
  Registry registry(store.dir(), kClock);
  const auto run = registry.create_run("bench");
  std::vector<Metric> metrics(static_cast<std::size_t>(state.range(0)));
  std::int64_t step = 0;
  for (auto _ : state) {
    for (Metric& metric : metrics) {
      metric = {"loss", 0.5, step, step};
      ++step;
    }
    registry.log_metrics(run, metrics);
  }
  state.SetItemsProcessed(step);
}
BENCHMARK(bench_log_metrics)->Arg(1)->Arg(100)->Unit(benchmark::kMicrosecond);

void bench_list_runs(benchmark::State& state) {
  const BenchStore store;
  Registry registry(store.dir(), kClock);
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const auto run = registry.create_run("bench");
    registry.log_params(run, {{"optimizer", "adadelta"}, {"epochs", "20"}, {"seed", "1"}});
    registry.log_metrics(run, {{"loss", 0.5, 1, 1}, {"accuracy", 0.9, 1, 1}});
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(registry.list_runs());
  }
}
BENCHMARK(bench_list_runs)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace onnxop
