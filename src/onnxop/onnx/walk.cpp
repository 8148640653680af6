#include "onnxop/onnx/walk.h"

#include <onnx/onnx_pb.h>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

using NodeVisit = std::function<void(const onnx::NodeProto&, bool)>;
using TensorVisit = std::function<void(const onnx::TensorProto&, const std::string&)>;

void visit_nodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes, bool in_subgraph,
                 const NodeVisit& visit) {
  for (const auto& node : nodes) {
    visit(node, in_subgraph);
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) {
        visit_nodes(attribute.g().node(), true, visit);
      }
      for (const auto& graph : attribute.graphs()) {
        visit_nodes(graph.node(), true, visit);
      }
    }
  }
}

void visit_sparse(const onnx::SparseTensorProto& sparse, const std::string& where,
                  const TensorVisit& visit) {
  visit(sparse.values(), where + ", values");
  visit(sparse.indices(), where + ", indices");
}

void visit_initializers(const onnx::GraphProto& graph, const TensorVisit& visit) {
  for (const auto& tensor : graph.initializer()) {
    visit(tensor, format("initializer '{}'", tensor.name()));
  }
  for (const auto& sparse : graph.sparse_initializer()) {
    visit_sparse(sparse, format("sparse initializer '{}'", sparse.values().name()), visit);
  }
}

void visit_attribute_tensors(const onnx::NodeProto& node, const TensorVisit& visit) {
  for (const auto& attribute : node.attribute()) {
    const std::string where = format("{}, attribute '{}'", node_title(node), attribute.name());
    if (attribute.has_t()) {
      visit(attribute.t(), where);
    }
    for (const auto& tensor : attribute.tensors()) {
      visit(tensor, where);
    }
    if (attribute.has_sparse_tensor()) {
      visit_sparse(attribute.sparse_tensor(), where, visit);
    }
    for (const auto& sparse : attribute.sparse_tensors()) {
      visit_sparse(sparse, where, visit);
    }
  }
}

}  // namespace

std::string node_title(const onnx::NodeProto& node) {
  if (!node.name().empty()) {
    return format("node '{}' ({})", node.name(), node.op_type());
  }
  return format("node making '{}' ({})", node.output().empty() ? "" : node.output(0),
                node.op_type());
}

void for_each_node(const onnx::ModelProto& model, const NodeVisit& visit) {
  visit_nodes(model.graph().node(), false, visit);
  for (const auto& function : model.functions()) {
    visit_nodes(function.node(), true, visit);
  }
  for (const auto& training : model.training_info()) {
    visit_nodes(training.initialization().node(), true, visit);
    visit_nodes(training.algorithm().node(), true, visit);
  }
}

void for_each_graph(const onnx::GraphProto& graph,
                    const std::function<void(const onnx::GraphProto&)>& visit) {
  visit(graph);
  for (const auto& node : graph.node()) {
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) {
        for_each_graph(attribute.g(), visit);
      }
      for (const auto& inner : attribute.graphs()) {
        for_each_graph(inner, visit);
      }
    }
  }
}

void for_each_tensor(const onnx::ModelProto& model, const TensorVisit& visit) {
  const auto initializers = [&](const onnx::GraphProto& graph) {
    visit_initializers(graph, visit);
  };
  for_each_graph(model.graph(), initializers);
  for (const auto& function : model.functions()) {
    for (const auto& node : function.node()) {
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) {
          for_each_graph(attribute.g(), initializers);
        }
      }
    }
  }
  for (const auto& training : model.training_info()) {
    for_each_graph(training.initialization(), initializers);
    for_each_graph(training.algorithm(), initializers);
  }
  for_each_node(model,
                [&](const onnx::NodeProto& node, bool) { visit_attribute_tensors(node, visit); });
}

}  // namespace onnxop
