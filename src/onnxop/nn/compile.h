#pragma once
// Graph -> chain of operators. Private to this room.

#include <memory>
#include <vector>

#include "onnxop/nn/ends.h"
#include "onnxop/nn/operator.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {

struct CompiledGraph {
  InputStage input;
  std::vector<std::unique_ptr<Operator>> operators;
  LossStage loss;
  ParameterTable parameters;
  std::size_t first_trainable = 0;  // operators before it need no gradient
};

/// For pieces of `piece` samples. Throws as Network's constructor says.
CompiledGraph compile_graph(const Graph& graph, const NetworkOptions& options, std::int64_t piece);

/// Samples of a piece, where the options leave it open: so many that the largest operator's input
/// and output take about 3 MiB, in an even number of pieces of equal size, but no more pieces than
/// have gradients in 64 MiB. Depends on nothing but graph and batch, so that results do not depend
/// on the number of cores or their caches.
std::int64_t choose_piece(const Graph& graph, const NetworkOptions& options);

}  // namespace onnxop
