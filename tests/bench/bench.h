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

/// `serve`, `startup_ms`, `rss_mb`: the real server in a process of its own, asked over loopback.
/// `raw_rate`: what one thread of ONNX Runtime alone does at batch 1, images/s.
Json measure_serving(const std::filesystem::path& model_file, double raw_rate);

/// `binary_mb` (stripped) and `runtime_mb` (with the shared libraries that a bare Debian does not
/// have anyway).
Json measure_size();

/// The operator table of docs/performance.md, as Markdown.
std::string profile_table(const std::filesystem::path& spec_file, bool bfloat16);

}  // namespace onnxop::bench
