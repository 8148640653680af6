#pragma once
// Scorer: runs named tensors to named tensors. ONNX Runtime is one; timing, checking against
// another engine, failing on purpose and (later) batching are Scorers around a Scorer.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onnxop/tensor/tensor.h"

namespace onnxop {

class Scorer {
 public:
  virtual ~Scorer() = default;

  /// What the model takes and gives, in its order; constant over the Scorer's life.
  virtual const std::vector<TensorInfo>& inputs() const = 0;
  virtual const std::vector<TensorInfo>& outputs() const = 0;

  /// Runs the model once; blocks. Inputs may come in any order; all outputs are given, in outputs()
  /// order, and own their memory. Throws Error{kInvalidArgument} for a missing, unknown or
  /// misshapen input, Error{kInternal} when the engine fails. Any number of threads may call it at
  /// once.
  virtual std::vector<NamedTensor> run(std::span<const NamedTensor> inputs) = 0;
};

/// Throws Error{kInvalidArgument} unless `inputs` has exactly the declared names, types and (free
/// dimensions apart) shapes.
void check_inputs(const std::vector<TensorInfo>& declared, std::span<const NamedTensor> inputs);

}  // namespace onnxop
