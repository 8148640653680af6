#pragma once
// Follows the batch dimension through a graph, node by node. Private to this room.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "onnxop/onnx/batch_dimension.h"
#include "onnxop/onnx/batch_graph.h"
#include "onnxop/onnx/scalar_rank.h"

namespace onnxop {

/// A Reshape whose target has the number of a fixed batch in it.
struct NewReshape {
  std::size_t node = 0;  // its index in the graph
  std::vector<std::int64_t> target;
};

struct BatchAnalysis {
  std::string problem;                      // "": proven
  std::optional<std::int64_t> fixed;        // what the inputs say of dimension 0; none: free
  std::map<std::string, std::size_t> axes;  // where the batch is, of the values that have it
  std::vector<NewReshape> reshapes;         // to be changed before the batch is free
  std::vector<SlowScalar> slow_scalars;     // those before the problem
};

BatchAnalysis analyse_batch(const BatchGraph& graph);

/// What of it is public.
BatchDimension batch_dimension_of(BatchAnalysis analysis);

}  // namespace onnxop
