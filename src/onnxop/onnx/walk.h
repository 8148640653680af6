#pragma once
// Goes through every node and tensor of a model: the main graph, subgraphs in attributes,
// functions, training graphs. Private to this room.

#include <functional>
#include <string>

#include "onnxop/onnx/proto_types.h"

namespace onnxop {

/// "node 'conv1' (Conv)", or by its first output where it has no name: "node making 'y' (Conv)".
std::string node_title(const onnx::NodeProto& node);

/// `in_subgraph` is true below the main graph (and in functions and training graphs).
void for_each_node(const onnx::ModelProto& model,
                   const std::function<void(const onnx::NodeProto& node, bool in_subgraph)>& visit);

/// `where` says which one it is: "initializer 'w'", "node 'c' (Constant), attribute 'value'".
void for_each_tensor(
    const onnx::ModelProto& model,
    const std::function<void(const onnx::TensorProto& tensor, const std::string& where)>& visit);

/// The main graph and every graph inside a node's attribute, at any depth; functions and training
/// graphs are left out.
void for_each_graph(const onnx::GraphProto& graph,
                    const std::function<void(const onnx::GraphProto&)>& visit);

}  // namespace onnxop
