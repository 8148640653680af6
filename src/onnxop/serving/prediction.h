#pragma once
// What a model's outputs mean, as its contract says. Safe from any thread.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "onnxop/onnx/contract.h"
#include "onnxop/score/scorer.h"

namespace onnxop {

struct Prediction {
  /// Classification: one probability a class, in the contract's order; regression: the outputs.
  std::vector<double> values;
  // Of a classification: the most probable class (the first of equals) and its probability.
  std::string label;
  double confidence = 0;
};

/// The prediction for one sample of a batch; softmax is applied where the output has logits. The
/// output's first dimension is the batch. Throws Error{kInternal} for an output that is not there,
/// is neither float32 nor float64, has no such sample, not one value a label, or a value that is
/// not finite.
Prediction read_prediction(const ContractOutput& contract, std::span<const NamedTensor> outputs,
                           std::size_t sample = 0);

}  // namespace onnxop
