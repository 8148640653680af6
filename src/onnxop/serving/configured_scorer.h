#pragma once
// A model as its configuration declares it: names, types and shapes are compared, and tensors that
// clients see in another shape than the model (`reshape`) get the other one, without a copy.

#include <memory>

#include "onnxop/onnx/batch_dimension.h"
#include "onnxop/score/scorer.h"
#include "onnxop/triton/triton_config.h"

namespace onnxop {

/// `inner` itself where the configuration says nothing else than the model. `rows` is what the
/// model's graph says of its first dimension. Throws Error{kFailedPrecondition} with the line of
/// the configuration where the two contradict each other.
std::shared_ptr<Scorer> configured_scorer(std::shared_ptr<Scorer> inner, const TritonConfig& config,
                                          const BatchDimension& rows);

}  // namespace onnxop
