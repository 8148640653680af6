#pragma once
// Network: an ONNX graph compiled for training. Runs it forward and backward on oneDNN primitives,
// and keeps the trainable initializers as one flat float32 buffer of master weights.
//
// A batch is cut into pieces whose activations stay in a core's L2 cache. A piece runs through the
// whole graph on one thread; threads take pieces as they become free. Each piece leaves its own
// gradient, and the pieces' gradients are added in their order, so the result does not depend on
// the number of threads or on who ran what.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onnxop/base/thread_pool.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {

enum class Precision { kFloat32, kBfloat16 };
enum class LossKind { kCategoricalCrossentropy, kMeanSquaredError };

struct NetworkOptions {
  std::int64_t batch = 1;  // most samples of one call
  std::int64_t piece =
      0;  // samples of a piece; 0: chosen from the activations' size and the L2 cache
  Precision precision = Precision::kFloat32;
  LossKind loss = LossKind::kCategoricalCrossentropy;
  std::uint64_t seed = 0;  // of the dropout masks
};

/// Where a trainable initializer lies in the flat buffers, in ONNX's plain layout.
struct ParameterInfo {
  std::string name;
  Shape shape;
  std::int64_t offset = 0;  // in elements
  std::int64_t size = 0;
};

struct BatchResult {
  double loss_sum = 0;       // of the samples' losses
  std::int64_t correct = 0;  // samples whose largest output is the largest target
};

struct OperatorTime {
  std::string node;  // the ONNX node's name
  std::string op_type;
  std::string direction;       // "forward", "backward data", "backward weights"
  std::string implementation;  // oneDNN's name, or "own"
  double seconds = 0;
  double flops = 0;
};

class Network {
 public:
  /// Compiles `graph` (one input, one output, float32). Trainable are all float initializers that a
  /// Conv, Gemm, MatMul, Add (as bias) or BatchNormalization (scale and bias) reads as weights;
  /// running statistics of BatchNormalization are state(). Where the loss is categorical
  /// cross-entropy the last node must be Softmax; the two are differentiated as one. `pool` must
  /// outlive the network and must not be used by others during a call. Throws Error{kUnsupported}
  /// for an operator, attribute or precision that it or this processor does not do; names the node.
  Network(const Graph& graph, const NetworkOptions& options, ThreadPool& pool);
  ~Network();

  const std::vector<ParameterInfo>& parameter_layout() const;
  /// Master weights; starts as the graph's initializers. Tell parameters_changed() after writing.
  std::span<float> parameters();
  /// Mean over the batch of the loss's gradient, left by train_batch.
  std::span<const float> gradients() const;
  /// Running means and variances; not trained, saved with checkpoints.
  const std::vector<ParameterInfo>& state_layout() const;
  std::span<float> state();
  void parameters_changed();

  std::int64_t input_size() const;  // elements of one sample
  std::int64_t output_size() const;

  /// Forward and backward of n samples (1 <= n <= batch) in training mode. `step` numbers the call
  /// for the dropout masks: the same (seed, step, sample index) gives the same mask. inputs: n *
  /// input_size(), targets: n * output_size() (one-hot or values).
  BatchResult train_batch(std::span<const float> inputs, std::span<const float> targets,
                          std::int64_t n, std::uint64_t step);

  /// Forward in inference mode (no dropout, running statistics), any n >= 1; outputs: n *
  /// output_size().
  void predict(std::span<const float> inputs, std::int64_t n, std::span<float> outputs);

  /// Floating-point operations of one sample: multiply and add count as two, only Conv, Gemm and
  /// MatMul count, nothing for the gradient of the graph's input.
  double forward_flops() const;
  double train_flops() const;

  std::int64_t piece() const;

  /// Runs one training batch with a clock around every primitive (on one thread, so slower) and
  /// returns the sums by operator.
  std::vector<OperatorTime> profile(std::span<const float> inputs, std::span<const float> targets,
                                    std::int64_t n);

  /// The graph with initializers replaced by the current parameters and state.
  Graph trained_graph() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// GFLOP/s of a large square matrix multiply in this precision on the pool's threads, the yardstick
/// for train speed; best of `repeats`.
double matmul_peak_gflops(Precision precision, ThreadPool& pool, int repeats = 5);

/// Whether this processor computes in bfloat16 (AVX-512 BF16 or AMX) at all; `reason` says what is
/// missing.
bool supports_precision(Precision precision, std::string* reason = nullptr);

}  // namespace onnxop
