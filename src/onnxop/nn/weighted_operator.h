#pragma once
// Conv and dense (Gemm, MatMul) on oneDNN, with bias and, where ReLU follows, ReLU inside. Private
// to this room.

#include <memory>
#include <optional>

#include "onnxop/nn/operator.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {

/// The ONNX node with its weights, ready for compilation.
struct WeightedNode {
  const GraphNode* node = nullptr;
  const GraphInitializer* weights = nullptr;
  const GraphInitializer* bias = nullptr;  // may be absent
  bool data_gradient = false;              // something before it is trained
  bool relu = false;                       // a Relu node follows and is done inside
};

/// Throws Error{kUnsupported} naming the node for attributes and shapes that are not covered.
std::unique_ptr<Operator> make_conv(const WeightedNode& node, const Layout& in,
                                    ParameterTable& parameters);

/// `out_features_first`: the weights are [out, in] (Gemm with transB), else [in, out].
std::unique_ptr<Operator> make_dense(const WeightedNode& node, const Layout& in,
                                     bool out_features_first, ParameterTable& parameters);

}  // namespace onnxop
