#include "onnxop/onnx/graph.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

bool is_dropout(const GraphNode& node) {
  return node.op_type == "Dropout";
}

/// What each Dropout's output stands for: its input, through chains of Dropout.
std::unordered_map<std::string, std::string> dropout_sources(const Graph& graph) {
  std::unordered_map<std::string, std::string> sources;
  for (const GraphNode& node : graph.nodes) {
    if (!is_dropout(node)) {
      continue;
    }
    if (node.inputs.empty() || node.outputs.empty()) {
      fail(ErrorCode::kInvalidArgument,
           "Dropout node '{}': {} inputs and {} outputs, expected at least one of each", node.name,
           node.inputs.size(), node.outputs.size());
    }
    const auto through = sources.find(node.inputs[0]);
    sources[node.outputs[0]] = through == sources.end() ? node.inputs[0] : through->second;
  }
  return sources;
}

/// A mask has no value without its Dropout.
void refuse_read_masks(const Graph& graph) {
  std::unordered_map<std::string, std::string> masks;
  for (const GraphNode& node : graph.nodes) {
    if (is_dropout(node) && node.outputs.size() > 1 && !node.outputs[1].empty()) {
      masks[node.outputs[1]] = node.name;
    }
  }
  const auto refuse = [&](const std::string& value, const std::string& reader) {
    if (const auto mask = masks.find(value); mask != masks.end()) {
      fail(ErrorCode::kInvalidArgument,
           "Dropout node '{}' cannot be taken out: its mask '{}' is read by {}", mask->second,
           value, reader);
    }
  };
  for (const GraphNode& node : graph.nodes) {
    for (const std::string& input : node.inputs) {
      refuse(input, format("node '{}'", node.name));
    }
  }
  for (const GraphValue& output : graph.outputs) {
    refuse(output.name, "the graph's outputs");
  }
}

/// A graph output keeps its name: what made the Dropout's input now makes the output, or, where
/// that has a name of its own to keep (graph input, initializer, another output), an Identity node
/// does.
class OutputJoiner {
 public:
  explicit OutputJoiner(Graph& graph) : graph_(graph) {
    for (const GraphValue& value : graph.inputs) {
      fixed_.insert(value.name);
    }
    for (const GraphValue& value : graph.outputs) {
      fixed_.insert(value.name);
    }
    for (const GraphInitializer& initializer : graph.initializers) {
      fixed_.insert(initializer.name);
    }
  }

  void join(const std::string& source, const std::string& output) {
    if (fixed_.contains(source)) {
      GraphNode identity;
      identity.op_type = "Identity";
      identity.name = output;
      identity.inputs = {source};
      identity.outputs = {output};
      graph_.nodes.push_back(std::move(identity));
      return;
    }
    for (GraphNode& node : graph_.nodes) {
      std::replace(node.inputs.begin(), node.inputs.end(), source, output);
      std::replace(node.outputs.begin(), node.outputs.end(), source, output);
    }
    renamed_[source] = output;
  }

  /// The name that `source` goes by after the joins so far.
  std::string current(const std::string& source) const {
    const auto at = renamed_.find(source);
    return at == renamed_.end() ? source : at->second;
  }

 private:
  Graph& graph_;
  std::unordered_set<std::string> fixed_;
  std::unordered_map<std::string, std::string> renamed_;
};

void drop_unread_initializers(Graph& graph) {
  std::unordered_set<std::string> read;
  for (const GraphNode& node : graph.nodes) {
    read.insert(node.inputs.begin(), node.inputs.end());
  }
  for (const GraphValue& output : graph.outputs) {
    read.insert(output.name);
  }
  std::erase_if(graph.initializers, [&](const GraphInitializer& initializer) {
    return !read.contains(initializer.name);
  });
}

}  // namespace

const GraphInitializer* Graph::find_initializer(const std::string& initializer_name) const {
  const auto at =
      std::find_if(initializers.begin(), initializers.end(),
                   [&](const GraphInitializer& each) { return each.name == initializer_name; });
  return at == initializers.end() ? nullptr : &*at;
}

Graph Graph::clone() const {
  Graph copy;
  copy.name = name;
  copy.doc_string = doc_string;
  copy.nodes = nodes;
  copy.initializers.reserve(initializers.size());
  for (const GraphInitializer& each : initializers) {
    copy.initializers.push_back({each.name, each.tensor.clone(), each.doc_string});
  }
  copy.inputs = inputs;
  copy.outputs = outputs;
  return copy;
}

Graph without_dropout(const Graph& graph) {
  refuse_read_masks(graph);
  const auto sources = dropout_sources(graph);

  Graph result = graph.clone();
  std::erase_if(result.nodes, is_dropout);
  for (GraphNode& node : result.nodes) {
    for (std::string& input : node.inputs) {
      if (const auto source = sources.find(input); source != sources.end()) {
        input = source->second;
      }
    }
  }
  OutputJoiner joiner(result);
  for (const GraphValue& output : graph.outputs) {
    if (const auto source = sources.find(output.name); source != sources.end()) {
      const std::string current = joiner.current(source->second);
      joiner.join(current, output.name);
    }
  }
  drop_unread_initializers(result);
  return result;
}

}  // namespace onnxop
