#pragma once
// An ONNX graph as plain values: what the layer builder makes, the trainer differentiates and
// export writes. Names and meaning are ONNX's (onnx.proto); only what this program builds itself is
// covered (no subgraphs).

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "onnxop/base/error.h"
#include "onnxop/tensor/tensor.h"

namespace onnxop {

using AttributeValue =
    std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>>;

struct GraphNode {
  std::string op_type;  // of the default domain
  std::string name;
  std::vector<std::string> inputs;  // "" leaves an optional input out
  std::vector<std::string> outputs;
  std::map<std::string, AttributeValue> attributes;
  std::string doc_string;

  /// The attribute's value, or `otherwise` where it is absent. Throws Error{kInternal} for another
  /// type.
  template <typename T>
  T attribute(const std::string& attribute_name, T otherwise) const;
};

struct GraphDim {
  std::int64_t size = -1;  // -1: free, called `symbol`
  std::string symbol;
};

struct GraphValue {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<GraphDim> shape;
  std::string doc_string;
};

struct GraphInitializer {
  std::string name;
  Tensor tensor;
  std::string doc_string;
};

struct Graph {
  std::string name;
  std::string doc_string;
  std::vector<GraphNode> nodes;  // in an order in which every input is made before it is used
  std::vector<GraphInitializer> initializers;
  std::vector<GraphValue> inputs;
  std::vector<GraphValue> outputs;

  const GraphInitializer* find_initializer(const std::string& initializer_name) const;
  Graph clone() const;
};

/// A model file's content around the graph.
struct Model {
  std::int64_t ir_version = 8;
  std::int64_t opset = 17;  // of the default domain
  std::string producer_name = "onnxop";
  std::string producer_version;
  std::string doc_string;
  std::map<std::string, std::string> metadata;  // metadata_props
  Graph graph;
};

/// The graph for inference: every Dropout node is taken out and its output's readers are joined to
/// its input; initializers that nobody reads any more are dropped.
Graph without_dropout(const Graph& graph);

template <typename T>
T GraphNode::attribute(const std::string& attribute_name, T otherwise) const {
  const auto at = attributes.find(attribute_name);
  if (at == attributes.end()) {
    return otherwise;
  }
  if (const T* value = std::get_if<T>(&at->second)) {
    return *value;
  }
  fail(ErrorCode::kInternal, "node '{}' ({}): attribute '{}' has another type than was asked for",
       name, op_type, attribute_name);
}

}  // namespace onnxop
