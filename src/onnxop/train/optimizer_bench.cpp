#include <benchmark/benchmark.h>

#include "onnxop/train/optimizer.h"

namespace onnxop {
namespace {

/// One step for as many parameters as examples/mnist.yaml has; arguments: optimizer, threads.
void optimizer_step(benchmark::State& state) {
  constexpr std::int64_t kParameters = 229'514;
  ThreadPool pool(static_cast<int>(state.range(1)));
  OptimizerSpec spec;
  spec.kind = static_cast<OptimizerKind>(state.range(0));
  Optimizer optimizer(spec, kParameters, pool);
  std::vector<float> parameters(kParameters, 0.5F), gradients(kParameters, 1e-3F);
  for (auto _ : state) {
    optimizer.step(parameters, gradients, 1e-3);
    benchmark::DoNotOptimize(parameters.data());
  }
  state.SetItemsProcessed(state.iterations() * kParameters);
}
BENCHMARK(optimizer_step)
    ->ArgsProduct({{static_cast<int>(OptimizerKind::kSgd), static_cast<int>(OptimizerKind::kAdam),
                    static_cast<int>(OptimizerKind::kAdadelta)},
                   {1, 2}})
    ->UseRealTime();

}  // namespace
}  // namespace onnxop
