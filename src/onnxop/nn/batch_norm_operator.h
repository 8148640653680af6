#pragma once
// BatchNormalization over the whole batch, however it is cut. Private to this room.

#include <memory>

#include "onnxop/nn/operator.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {

struct BatchNormWeights {
  const GraphInitializer *scale, *bias, *mean, *variance;
};

/// Training: batch mean and (population) variance, and running = running * momentum + batch * (1 -
/// momentum), as in ONNX's BatchNormalization-15. Statistics are taken in double precision and
/// added in the pieces' order.
std::unique_ptr<Operator> make_batch_norm(const GraphNode& node, const BatchNormWeights& weights,
                                          const Layout& in, ParameterTable& parameters);

}  // namespace onnxop
