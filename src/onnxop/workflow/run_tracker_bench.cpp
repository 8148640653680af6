// What tracking costs a training: processor time of all threads for each step.

#include <benchmark/benchmark.h>

#include "onnxop/base/test_folder.h"
#include "onnxop/workflow/run_tracker.h"

namespace onnxop {
namespace {

/// Of a run of `range` steps with three points each: the processor time of the training's thread
/// and of the writing one together, the opening of the store and the end included.
void bench_steps(benchmark::State& state) {
  const TestFolder folder;
  const SystemClock clock;
  Registry registry(folder.path(), clock);
  for (auto _ : state) {
    RunTracker tracker(store_sink(registry.location(), registry.runs().create({})), {});
    for (std::int64_t step = 1; step <= state.range(0); ++step) {
      tracker.log({{"batch_loss", 0.5, step, step},
                   {"batch_learning_rate", 0.001, step, step},
                   {"batch_accuracy", 0.9, step, step}});
    }
    tracker.finish();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bench_steps)->Arg(1'000)->Arg(100'000)->MeasureProcessCPUTime();

}  // namespace
}  // namespace onnxop
