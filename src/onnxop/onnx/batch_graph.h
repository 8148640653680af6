#pragma once
// A graph as the search for its batch dimension needs it, whether it is one that this program
// builds or one from a file: nodes, shapes, and the small integers that shapes are made of, without
// the weights. Private to this room.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "onnxop/onnx/batch_value.h"
#include "onnxop/onnx/graph.h"
#include "onnxop/onnx/proto_types.h"

namespace onnxop {

struct BatchNode {
  GraphNode node;      // without attributes that are tensors, graphs or types
  std::string domain;  // "" for ONNX's own
  std::string title;   // for messages: "node 'conv1' (Conv)"
  std::string oddity;  // why ONNX's rules for its operator are not to be applied; "": nothing
  std::optional<BatchValue> constant;  // of Constant
};

struct BatchInput {
  std::string name;
  std::optional<std::vector<GraphDim>> dims;  // none: not a tensor, or nothing said
};

struct BatchGraph {
  std::int64_t opset = 0;  // of ONNX's own domain
  std::vector<BatchNode> nodes;
  std::map<std::string, BatchValue> constants;  // initializers
  std::vector<BatchInput> inputs;               // without those that are initializers
  std::vector<BatchInput> outputs;
};

BatchGraph batch_graph(const Graph& graph, std::int64_t opset);
BatchGraph batch_graph(const onnx::ModelProto& model);

}  // namespace onnxop
