#include "onnxop/onnx/batch_dimension.h"

#include <onnx/onnx_pb.h>

#include "onnxop/onnx/batch_analysis.h"
#include "onnxop/onnx/proto_file.h"

namespace onnxop {

BatchDimension batch_dimension_of(BatchAnalysis analysis) {
  return {.proven = analysis.problem.empty(),
          .fixed = analysis.fixed,
          .reason = std::move(analysis.problem)};
}

BatchDimension find_batch_dimension(const Model& model) {
  return find_batch_dimension(model.graph, model.opset);
}

BatchDimension find_batch_dimension(const Graph& graph, std::int64_t opset) {
  return batch_dimension_of(analyse_batch(batch_graph(graph, opset)));
}

BatchDimension find_batch_dimension(const std::filesystem::path& path) {
  return batch_dimension_of(analyse_batch(batch_graph(*read_model_proto(path))));
}

}  // namespace onnxop
