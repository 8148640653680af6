// Training speed beside the matrix-multiply yardstick, both measured in turns in one process, so
// that what else the machine does weighs on both.

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <benchmark/benchmark.h>

#include "onnxop/nn/network.h"
#include "onnxop/nn/test_graphs.h"

namespace onnxop {
namespace {

using nn_test::ChainBuilder;
using nn_test::random_values;

using Ints = std::vector<std::int64_t>;

/// The network of examples/mnist.yaml.
Graph mnist_graph() {
  ChainBuilder b({28, 28, 1});
  const auto scale = b.constant({}, {1.0F / 255});
  const auto pool = [&b] {
    b.node("MaxPool", {}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  };
  const auto dropout = [&b](float rate) { b.node("Dropout", {b.constant({}, {rate})}); };
  b.node("Mul", {scale}).node("Transpose", {}, {{"perm", Ints{0, 3, 1, 2}}});
  b.conv(1, 16, {3, 3}).node("Relu").conv(16, 32, {3, 3}).node("Relu");
  pool();
  dropout(0.25F);
  b.conv(32, 64, {3, 3}).node("Relu");
  pool();
  dropout(0.25F);
  b.node("Flatten").gemm(1600, 128).node("Relu");
  dropout(0.5F);
  return b.gemm(128, 10).node("Softmax").done({10});
}

struct Training {
  explicit Training(const NetworkOptions& options, int threads)
      : n(options.batch),
        pool(threads),
        network(mnist_graph(), options, pool),
        inputs(random_values(n * network.input_size(), 0, 255, 1)),
        targets(static_cast<std::size_t>(n * network.output_size()), 0.0F) {
    for (std::int64_t i = 0; i < n; ++i) {
      targets[static_cast<std::size_t>(i * network.output_size() + i % network.output_size())] = 1;
    }
  }

  double seconds_of_a_batch() {
    const auto start = std::chrono::steady_clock::now();
    network.parameters_changed();
    benchmark::DoNotOptimize(network.train_batch(inputs, targets, n, ++step));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  std::int64_t n;
  ThreadPool pool;
  Network network;
  std::vector<float> inputs, targets;
  std::uint64_t step = 0;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

/// Arguments: bfloat16, samples of a piece (0: the network's choice), threads. The ratio is the
/// median over the turns.
void train_batch(benchmark::State& state) {
  const auto precision = state.range(0) != 0 ? Precision::kBfloat16 : Precision::kFloat32;
  Training training({.batch = 250, .piece = state.range(1), .precision = precision},
                    static_cast<int>(state.range(2)));
  const double flops = training.network.train_flops() * static_cast<double>(training.n);
  std::vector<double> ratios, speeds, peaks;
  for (auto _ : state) {
    const double peak = matmul_peak_gflops(Precision::kFloat32, training.pool, 2);
    double best = training.seconds_of_a_batch();
    for (int i = 0; i < 3; ++i) {
      best = std::min(best, training.seconds_of_a_batch());
    }
    state.SetIterationTime(best);
    const double speed = flops / best / 1e9;
    ratios.push_back(speed / peak);
    speeds.push_back(speed);
    peaks.push_back(peak);
  }
  state.counters["piece"] = static_cast<double>(training.network.piece());
  state.counters["images/s"] = median(speeds) * 1e9 / training.network.train_flops();
  state.counters["gflops"] = median(speeds);
  state.counters["float32_peak"] = median(peaks);
  state.counters["ratio"] = median(ratios);
}
BENCHMARK(train_batch)
    ->ArgNames({"bf16", "piece", "threads"})
    ->ArgsProduct({{0, 1}, {0, 10, 50}, {2}})
    ->Args({0, 0, 1})
    ->Args({1, 0, 1})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(15);

/// Prints where the time of a batch goes, on one thread: the best of several looks.
void profile(benchmark::State& state) {
  const auto precision = state.range(0) != 0 ? Precision::kBfloat16 : Precision::kFloat32;
  Training training({.batch = 250, .piece = state.range(1), .precision = precision}, 1);
  std::vector<OperatorTime> best;
  for (auto _ : state) {
    const auto times = training.network.profile(training.inputs, training.targets, training.n);
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (best.size() <= i) {
        best.push_back(times[i]);
      }
      best[i].seconds = std::min(best[i].seconds, times[i].seconds);
    }
  }
  double total = 0;
  for (const auto& time : best) {
    total += time.seconds;
    std::printf("%-12s %-10s %-17s %-24s %7.3f ms %7.1f GFLOP/s\n", time.node.c_str(),
                time.op_type.c_str(), time.direction.c_str(), time.implementation.c_str(),
                time.seconds * 1e3, time.flops / time.seconds / 1e9);
  }
  std::printf("%-66s %7.3f ms\n", "sum", total * 1e3);
}
BENCHMARK(profile)
    ->ArgNames({"bf16", "piece"})
    ->Args({0, 0})
    ->Args({1, 0})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(9);

}  // namespace
}  // namespace onnxop
