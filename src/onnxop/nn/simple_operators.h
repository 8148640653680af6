#pragma once
// Operators without weights: activations, pooling, dropout, flatten. Private to this room.

#include <memory>

#include "onnxop/nn/operator.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {

/// Relu, LeakyRelu, Elu, Sigmoid, Tanh, Softplus.
bool is_activation(const std::string& op_type);
std::unique_ptr<Operator> make_activation(const GraphNode& node, const Layout& in);

/// MaxPool, AveragePool, GlobalAveragePool. `after_relu`: the input is ReLU's output, so that
/// MaxPool can do ReLU's gradient.
std::unique_ptr<Operator> make_pool(const GraphNode& node, const Layout& in, bool after_relu);

/// Kept elements are divided by 1 - rate. `stream` tells this operator's masks from others'.
std::unique_ptr<Operator> make_dropout(const GraphNode& node, const Layout& in, double rate,
                                       std::uint64_t seed, std::uint32_t stream);

/// Images to vectors in memory; where only Gemm or MatMul follow, they take the image as it is
/// instead.
std::unique_ptr<Operator> make_flatten(const GraphNode& node, const Layout& in);

}  // namespace onnxop
