#pragma once
// The parts of `make bench`: each measures one thing and returns its keys of bench.json. Machines
// are shared and noisy: what is compared runs in turn within one process, and medians are reported.

#include <filesystem>
#include <vector>

#include "onnxop/base/json.h"

namespace onnxop::bench {

double median(std::vector<double> values);

/// `peak` and `train`: images/s and GFLOP/s of the training loop (reading, forward, backward,
/// optimizer) on examples/mnist.yaml, beside the matrix-multiply peak, float32 and bfloat16 in
/// turn. Leaves the trained model in `model_file`.
Json measure_training(const std::filesystem::path& spec_file,
                      const std::filesystem::path& model_file, int rounds);

/// `score`: microseconds per image in process on one thread, at batch 1, 8, 32.
Json measure_scoring(const std::filesystem::path& model_file);

// The parts below ask the built server, in a process of its own, over loopback. `store` holds
// `mnist`, the network of measure_training(), and `residual`, of write_residual_network(); `digits`
// and `residual` are the same models as files.

/// `serve`, `startup_ms`, `rss_mb`: images on 1, 8 and 64 connections.
Json measure_serving(const std::filesystem::path& store);

/// `tax`: what serving costs beyond ONNX Runtime in this process.
Json measure_tax(const std::filesystem::path& store, const std::filesystem::path& digits,
                 const std::filesystem::path& residual);

/// `scale`: idle connections, many active ones, many models, new versions under load.
Json measure_scale(const std::filesystem::path& store, const std::filesystem::path& digits);

/// `peers`: other servers that do the same job.
Json measure_peers(const std::filesystem::path& store, const std::filesystem::path& digits);

/// `binary_mb` (stripped) and `runtime_mb` (with the shared libraries that a bare Debian does not
/// have anyway).
Json measure_size();

/// The operator table of docs/performance.md, as Markdown.
std::string profile_table(const std::filesystem::path& spec_file, bool bfloat16);

}  // namespace onnxop::bench
