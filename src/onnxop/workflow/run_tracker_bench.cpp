// What tracking costs a training: processor time of all threads for each step.

#include <benchmark/benchmark.h>

#include "onnxop/base/test_folder.h"
#include "onnxop/workflow/run_tracker.h"

namespace onnxop {
namespace {

/// Three points a step, written to a store; the time of the process is that of the training's
/// thread and the writing one's together.
void bench_step(benchmark::State& state) {
  const TestFolder folder;
  const SystemClock clock;
  Registry registry(folder.path(), clock);
  const std::string run = registry.runs().create({});
  RunTracker tracker(store_sink(registry.location(), run), {.most_points = 100'000'000});
  std::int64_t step = 0;
  for (auto _ : state) {
    ++step;
    tracker.log({{"batch_loss", 0.5, step, step},
                 {"batch_learning_rate", 0.001, step, step},
                 {"batch_accuracy", 0.9, step, step}});
  }
  tracker.finish();
}
// The end writes what is left; as many steps as a training of a few minutes has.
BENCHMARK(bench_step)->Iterations(100'000)->MeasureProcessCPUTime();

}  // namespace
}  // namespace onnxop
