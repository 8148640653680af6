// Samples a second that a BatchReader makes, from MNIST's sizes.

#include <algorithm>
#include <numeric>

#include <benchmark/benchmark.h>

#include "onnxop/data/batches.h"

namespace onnxop {
namespace {

Dataset digits(std::int64_t n) {
  Dataset data;
  data.samples = Tensor(DType::kUint8, {n, 28, 28, 1});
  const auto pixels = data.samples.values<std::uint8_t>();
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
  }
  data.classes.assign(static_cast<std::size_t>(n), 3);
  data.labels.resize(10);
  return data;
}

void read_all(benchmark::State& state, const AugmentOptions& augment) {
  constexpr std::uint32_t kSamples = 20'000;
  const Dataset data = digits(kSamples);
  std::vector<std::uint32_t> indices(kSamples);
  std::iota(indices.begin(), indices.end(), 0U);
  BatchOptions options{.batch = 250, .shuffle = true, .augment = augment};
  for (auto _ : state) {
    BatchReader reader(data, indices, options, [](auto pixels, auto values) {
      std::copy(pixels.begin(), pixels.end(), values.begin());
    });
    while (const auto batch = reader.next()) {
      benchmark::DoNotOptimize(batch->inputs.data());
    }
    ++options.epoch;
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
}

// The process's time, since the work is done on the reader's own thread.
BENCHMARK_CAPTURE(read_all, plain, AugmentOptions{})->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(read_all, shifted, AugmentOptions{.shift = 0.1})->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(read_all, augmented, AugmentOptions{0.1, 10, 0.1})->MeasureProcessCPUTime();

}  // namespace
}  // namespace onnxop
