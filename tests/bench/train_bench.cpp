#include <algorithm>
#include <chrono>
#include <thread>

#include "bench/bench.h"
#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/thread_pool.h"
#include "onnxop/data/batches.h"
#include "onnxop/data/mnist.h"
#include "onnxop/nn/network.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/train/build_graph.h"
#include "onnxop/train/load_data.h"
#include "onnxop/train/optimizer.h"
#include "onnxop/train/spec.h"

namespace onnxop::bench {
namespace {

constexpr std::int64_t kSamplesARound = 5000;

/// The trainer's inner loop on real data.
class TrainingLoop {
 public:
  TrainingLoop(const TrainSpec& spec, const Dataset& data, Precision precision, ThreadPool& pool)
      : spec_(spec),
        data_(data),
        convert_(input_converter(spec)),
        network_(build_graph(spec, {data.sample_shape(), data.outputs(), data.labels, {}, {}}),
                 {.batch = spec.train.batch_size, .precision = precision, .loss = spec.train.loss},
                 pool),
        optimizer_(spec.train.optimizer, static_cast<std::int64_t>(network_.parameters().size()),
                   pool) {}

  /// Seconds for kSamplesARound images.
  double round() {
    std::vector<std::uint32_t> indices(kSamplesARound);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      indices[i] = static_cast<std::uint32_t>(i);
    }
    const auto start = std::chrono::steady_clock::now();
    BatchOptions options;
    options.batch = spec_.train.batch_size;
    options.shuffle = true;
    options.epoch = rounds_++;
    BatchReader reader(data_, indices, options, convert_);
    while (const auto batch = reader.next()) {
      network_.train_batch(batch->inputs, batch->targets, batch->n, ++steps_);
      optimizer_.step(network_.parameters(), network_.gradients(),
                      spec_.train.optimizer.learning_rate);
      network_.parameters_changed();
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  Network& network() { return network_; }

 private:
  TrainSpec spec_;
  const Dataset& data_;
  BatchReader::Convert convert_;
  Network network_;
  Optimizer optimizer_;
  std::uint64_t rounds_ = 0;
  std::uint64_t steps_ = 0;
};

struct PrecisionFigures {
  Precision precision;
  const char* name;
  TrainingLoop loop;
  std::vector<double> peaks, rates, ratios;
};

Json figures_json(PrecisionFigures& figures) {
  const double rate = median(figures.rates);
  return {{"images_per_second", rate},
          {"gflops", rate * figures.loop.network().train_flops() / 1e9},
          {"percent_of_peak", 100 * median(figures.ratios)},
          {"piece", figures.loop.network().piece()}};
}

}  // namespace

Json measure_training(const std::filesystem::path& spec_file,
                      const std::filesystem::path& model_file, int rounds) {
  const TrainSpec spec = load_spec(spec_file);
  const Dataset data = load_mnist(default_data_dir() / "mnist", "train");
  ThreadPool pool(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));

  std::vector<std::unique_ptr<PrecisionFigures>> all;
  for (const auto& [precision, name] :
       {std::pair{Precision::kFloat32, "float32"}, {Precision::kBfloat16, "bf16"}}) {
    if (supports_precision(precision)) {
      // NOLINTNEXTLINE(modernize-make-unique): the loop cannot be moved
      all.push_back(std::unique_ptr<PrecisionFigures>(new PrecisionFigures{
          precision, name, TrainingLoop(spec, data, precision, pool), {}, {}, {}}));
      all.back()->loop.round();  // warm-up
    }
  }
  for (int i = 0; i < rounds; ++i) {
    for (auto& figures : all) {
      const double peak = matmul_peak_gflops(figures->precision, pool, 3);
      const double rate = static_cast<double>(kSamplesARound) / figures->loop.round();
      figures->peaks.push_back(peak);
      figures->rates.push_back(rate);
      figures->ratios.push_back(rate * figures->loop.network().train_flops() / 1e9 / peak);
    }
  }
  Json result{{"threads", pool.threads()}, {"peak", Json::object()}, {"train", Json::object()}};
  for (auto& figures : all) {
    result["peak"][std::string(figures->name) + "_gflops"] = median(figures->peaks);
    result["train"][figures->name] = figures_json(*figures);
  }
  if (all.size() > 1) {
    std::vector<double> speedups;
    for (std::size_t i = 0; i < all[0]->rates.size(); ++i) {
      speedups.push_back(all[1]->rates[i] / all[0]->rates[i]);
    }
    result["train"]["bf16"]["times_float32"] = median(speedups);
  }
  Model model;
  model.graph = without_dropout(all.front()->loop.network().trained_graph());
  write_file_atomically(model_file, serialize_model(model));
  return result;
}

std::string profile_table(const std::filesystem::path& spec_file, bool bfloat16) {
  const TrainSpec spec = load_spec(spec_file);
  const Dataset data = load_mnist(default_data_dir() / "mnist", "train");
  ThreadPool pool(1);
  TrainingLoop loop(spec, data, bfloat16 ? Precision::kBfloat16 : Precision::kFloat32, pool);
  loop.round();
  const std::int64_t n = spec.train.batch_size;
  std::vector<float> inputs(static_cast<std::size_t>(n * loop.network().input_size()), 128.0F);
  std::vector<float> targets(static_cast<std::size_t>(n * loop.network().output_size()));
  for (std::int64_t i = 0; i < n; ++i) {
    targets[static_cast<std::size_t>(i * loop.network().output_size() +
                                     i % loop.network().output_size())] = 1;
  }
  const auto times = loop.network().profile(inputs, targets, n);
  double total = 0;
  for (const auto& time : times) {
    total += time.seconds;
  }
  std::string table =
      "| node | operator | direction | implementation | microseconds an image | share | GFLOP/s |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const auto& time : times) {
    table += format("| {} | {} | {} | {} | {:.2f} | {:.1f} % | {} |\n", time.node, time.op_type,
                    time.direction, time.implementation,
                    time.seconds * 1e6 / static_cast<double>(n), 100 * time.seconds / total,
                    time.flops > 0 ? format("{:.0f}", time.flops / time.seconds / 1e9) : "");
  }
  return table;
}

}  // namespace onnxop::bench
