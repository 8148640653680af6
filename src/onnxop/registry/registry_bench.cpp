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
  NewVersion version() const {
    return {.name = "mnist", .model_file = folder_ / "in.onnx", .source = "bench"};
  }

 private:
  std::filesystem::path folder_;
};

const SystemClock kClock;

// What a starting server does.
void bench_open_and_resolve(benchmark::State& state) {
  const BenchStore store;
  Registry(store.dir(), kClock).models().publish(store.version());
  for (auto _ : state) {
    benchmark::DoNotOptimize(Registry(store.dir(), kClock, true).models().resolve("mnist"));
  }
}
BENCHMARK(bench_open_and_resolve)->Unit(benchmark::kMicrosecond);

void bench_publish(benchmark::State& state) {
  const BenchStore store;
  Registry registry(store.dir(), kClock);
  for (auto _ : state) {
    registry.models().publish(store.version());
  }
}
BENCHMARK(bench_publish)->Unit(benchmark::kMicrosecond);

void bench_create_run(benchmark::State& state) {
  const BenchStore store;
  Registry registry(store.dir(), kClock);
  for (auto _ : state) {
    registry.runs().create({.name = "bench", .owned = false});
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bench_create_run)->Unit(benchmark::kMicrosecond);

// A batch of so many points, dealt out to so many keys.
void bench_log_batch(benchmark::State& state) {
  const BenchStore store;
  Registry registry(store.dir(), kClock);
  const auto run = registry.runs().create({});
  const auto keys = state.range(1);
  RunBatch batch;
  batch.metrics.resize(static_cast<std::size_t>(state.range(0)));
  std::int64_t step = 0;
  for (auto _ : state) {
    for (Metric& metric : batch.metrics) {
      metric = {"metric/" + std::to_string(step % keys), 0.5, step, step};
      ++step;
    }
    registry.runs().log_batch(run, batch);
  }
  state.SetItemsProcessed(step);
}
BENCHMARK(bench_log_batch)
    ->Args({1, 1})
    ->Args({100, 1})
    ->Args({100, 100})
    ->Args({1000, 1})
    ->Args({1000, 10})
    ->Args({1000, 1000})
    ->Unit(benchmark::kMicrosecond);

void bench_metric_history(benchmark::State& state) {
  const BenchStore store;
  Registry registry(store.dir(), kClock);
  const auto run = registry.runs().create({});
  std::vector<Metric> metrics;
  for (std::int64_t step = 0; step < state.range(0); ++step) {
    metrics.push_back({"loss", 0.5, step, step});
  }
  registry.runs().log_metrics(run, metrics);
  for (auto _ : state) {
    benchmark::DoNotOptimize(registry.runs().metric_history(run, "loss"));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bench_metric_history)->Arg(100'000)->Unit(benchmark::kMicrosecond);

void bench_list_runs(benchmark::State& state) {
  const BenchStore store;
  Registry registry(store.dir(), kClock);
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const auto run = registry.runs().create({.name = "bench"});
    registry.runs().log_batch(
        run, {.metrics = {{"loss", 0.5, 1, 1}, {"accuracy", 0.9, 1, 1}},
              .params = {{"optimizer", "adadelta"}, {"epochs", "20"}, {"seed", "1"}}});
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(registry.runs().list());
  }
}
BENCHMARK(bench_list_runs)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace onnxop
