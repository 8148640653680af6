#pragma once
// Constants of a model file's main graph, exchanged for others. Private to this room.

#include <map>
#include <set>
#include <string>

#include "onnxop/onnx/proto_types.h"

namespace onnxop {

class UnusedNames {
 public:
  explicit UnusedNames(std::set<std::string> taken);

  /// `wish`, or the first of wish_2, wish_3, … that is not taken; it is taken from then on.
  std::string take(const std::string& wish);

 private:
  std::set<std::string> taken_;
  std::map<std::string, int> last_;  // that was tried, by wish
};

/// Of all values of a graph and its subgraphs.
std::set<std::string> value_names(const onnx::GraphProto& graph);

bool is_constant_node(const onnx::NodeProto& node);

/// Adds it as an initializer: as an input too where the format's version is one that wants that.
void add_constant(onnx::ModelProto& model, onnx::TensorProto tensor);

/// Takes out those of these constants, initializers and nodes, that nothing reads any more, in
/// subgraphs either.
void drop_unread(onnx::ModelProto& model, std::set<std::string> names);

}  // namespace onnxop
