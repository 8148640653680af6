#include "onnxop/onnx/structure.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>

#include <onnx/onnx_pb.h>

#include "onnxop/base/format.h"
#include "onnxop/onnx/proto_file.h"
#include "onnxop/onnx/tensor_check.h"
#include "onnxop/onnx/walk.h"

namespace onnxop {
namespace {

constexpr std::size_t kMostProblems = 20;
using Names = std::unordered_set<std::string>;
using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

/// The values that a graph, and those around it, have made so far.
struct Scope {
  const Scope* outer = nullptr;
  Names names;

  bool has(const std::string& name) const {
    return names.contains(name) || (outer != nullptr && outer->has(name));
  }
};

class StructureChecker {
 public:
  explicit StructureChecker(std::vector<std::string>& problems) : problems_(problems) {}

  void check_imports(const onnx::ModelProto& model) {
    import_domains(model.opset_import());
    for (const auto& function : model.functions()) {
      imported_.insert(domain_name(function.domain()));
    }
  }

  void check_metadata(const onnx::ModelProto& model) {
    Names keys;
    for (const auto& entry : model.metadata_props()) {
      if (!keys.insert(entry.key()).second) {
        report("metadata key '{}' is there twice", entry.key());
      }
    }
  }

  void check_graph(const onnx::GraphProto& graph, const Scope* outer) {
    Scope scope{outer, {}};
    Names inputs;
    for (const auto& input : graph.input()) {
      if (input.name().empty() || !inputs.insert(input.name()).second) {
        report("graph '{}': input '{}' has no name or is there twice", graph.name(), input.name());
      }
    }
    for (const auto& tensor : graph.initializer()) {
      add_initializer(graph, tensor.name(), scope);
    }
    for (const auto& sparse : graph.sparse_initializer()) {
      add_initializer(graph, sparse.values().name(), scope);
    }
    scope.names.insert(inputs.begin(), inputs.end());
    check_nodes(graph.node(), scope);
    check_values(graph);
    for (const auto& output : graph.output()) {
      if (!scope.has(output.name())) {
        report("graph '{}': nothing makes its output '{}'", graph.name(), output.name());
      }
    }
  }

  void check_function(const onnx::FunctionProto& function) {
    imported_.clear();
    import_domains(function.opset_import());
    imported_.insert(domain_name(function.domain()));
    Scope scope;
    scope.names.insert(function.input().begin(), function.input().end());
    check_nodes(function.node(), scope);
    for (const auto& output : function.output()) {
      if (!scope.has(output)) {
        report("function '{}': nothing makes its output '{}'", function.name(), output);
      }
    }
  }

  void check_tensors(const onnx::ModelProto& model, const std::filesystem::path& folder) {
    for_each_tensor(model, [&](const onnx::TensorProto& tensor, const std::string& where) {
      if (const auto problem = tensor_problem(tensor, folder)) {
        report("{}: {}", where, *problem);
      }
    });
  }

 private:
  template <typename... Args>
  void report(FormatString<Args...> text, Args&&... args) {
    if (problems_.size() < kMostProblems) {
      problems_.push_back(format(text, std::forward<Args>(args)...));
    }
  }

  template <typename Imports>
  void import_domains(const Imports& imports) {
    for (const auto& import : imports) {
      if (import.version() < 1) {
        report("opset_import of {}: got version {}, expected at least 1",
               domain_name(import.domain()), import.version());
      }
      if (!imported_.insert(domain_name(import.domain())).second) {
        report("opset_import of {} is there twice", domain_name(import.domain()));
      }
    }
  }

  void add_initializer(const onnx::GraphProto& graph, const std::string& name, Scope& scope) {
    if (name.empty() || !scope.names.insert(name).second) {
      report("graph '{}': initializer '{}' has no name or is there twice", graph.name(), name);
    }
  }

  void check_values(const onnx::GraphProto& graph) {
    for (const auto* values : {&graph.input(), &graph.output(), &graph.value_info()}) {
      for (const auto& value : *values) {
        if (const auto problem = value_problem(value)) {
          report("{}", *problem);
        }
      }
    }
  }

  void check_nodes(const Nodes& nodes, Scope& scope) {
    Names made_here;
    for (const auto& node : nodes) {
      made_here.insert(node.output().begin(), node.output().end());
    }
    for (const auto& node : nodes) {
      check_operator(node);
      for (const auto& input : node.input()) {
        if (input.empty() || scope.has(input)) {
          continue;
        }
        if (made_here.contains(input)) {
          report(
              "{}: input '{}' is used before it is made (the nodes are out of order or form a "
              "cycle)",
              node_title(node), input);
        } else {
          report("{}: nothing makes its input '{}'", node_title(node), input);
        }
      }
      check_attributes(node, scope);
      for (const auto& output : node.output()) {
        if (!output.empty() && !scope.names.insert(output).second) {
          report("{}: its output '{}' is made twice", node_title(node), output);
        }
      }
    }
  }

  void check_operator(const onnx::NodeProto& node) {
    if (node.op_type().empty()) {
      report("{}: it has no operator", node_title(node));
    }
    if (!imported_.contains(domain_name(node.domain()))) {
      report("{}: its domain {} is not in opset_import", node_title(node),
             domain_name(node.domain()));
    }
  }

  void check_attributes(const onnx::NodeProto& node, const Scope& scope) {
    Names names;
    for (const auto& attribute : node.attribute()) {
      if (attribute.name().empty() || !names.insert(attribute.name()).second) {
        report("{}: attribute '{}' has no name or is there twice", node_title(node),
               attribute.name());
      }
      check_sizes(node, attribute);
      if (attribute.has_g()) {
        check_graph(attribute.g(), &scope);
      }
      for (const auto& graph : attribute.graphs()) {
        check_graph(graph, &scope);
      }
    }
  }

  /// libonnx divides by these.
  void check_sizes(const onnx::NodeProto& node, const onnx::AttributeProto& attribute) {
    constexpr std::array<std::string_view, 7> kPositive{
        "strides", "dilations", "kernel_shape", "group", "blocksize", "num_outputs", "num_groups"};
    if (domain_name(node.domain()) != "ai.onnx" ||
        std::find(kPositive.begin(), kPositive.end(), attribute.name()) == kPositive.end()) {
      return;
    }
    constexpr std::int64_t kMost = std::int64_t{1} << 31;
    const auto refuse = [](std::int64_t value) { return value < 1 || value > kMost; };
    const bool one = attribute.has_i() && refuse(attribute.i());
    if (one || std::any_of(attribute.ints().begin(), attribute.ints().end(), refuse)) {
      report("{}: got {} [{}], expected numbers from 1 to {}", node_title(node), attribute.name(),
             one ? format("{}", attribute.i()) : format("{}", join(attribute.ints(), ", ")), kMost);
    }
  }

  std::vector<std::string>& problems_;
  Names imported_;  // domains
};

}  // namespace

std::vector<std::string> structural_problems(const onnx::ModelProto& model,
                                             const std::filesystem::path& folder) {
  std::vector<std::string> problems;
  StructureChecker checker(problems);
  checker.check_imports(model);
  checker.check_metadata(model);
  checker.check_graph(model.graph(), nullptr);
  for (const auto& function : model.functions()) {
    checker.check_function(function);
  }
  checker.check_tensors(model, folder);
  return problems;
}

}  // namespace onnxop
