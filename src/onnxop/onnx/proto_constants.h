#pragma once
// Constants of a model file's main graph, exchanged for others. Private to this room.

#include <set>
#include <string>

namespace onnx {
class GraphProto;
class ModelProto;
class TensorProto;
}  // namespace onnx

namespace onnxop {

/// `wish`, or the first of wish_2, wish_3, … that is not taken.
std::string unused_name(const std::string& wish, const std::set<std::string>& taken);

/// Of its values: those that nodes read or make, initializers and inputs.
std::set<std::string> value_names(const onnx::GraphProto& graph);

/// Adds it as an initializer: as an input too where the format's version is one that wants that.
void add_constant(onnx::ModelProto& model, onnx::TensorProto tensor);

/// Takes out those of these constants, initializers and nodes, that nothing reads any more, in
/// subgraphs either.
void drop_unread(onnx::ModelProto& model, std::set<std::string> names);

}  // namespace onnxop
