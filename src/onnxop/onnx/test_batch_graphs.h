#pragma once
// Small graphs to follow a batch dimension through, for tests.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/onnx/graph.h"

namespace onnxop::testing_batch {

using Ints = std::vector<std::int64_t>;
using Attributes = std::map<std::string, AttributeValue>;

inline constexpr std::int64_t kRows = -2;  // in shapes of inputs: the batch

/// Makes a model node by node. Value names are made up; the result of a call is the next one's
/// input.
class Builder {
 public:
  /// `fixed`: the number of rows that the model declares; -1: free.
  explicit Builder(std::int64_t fixed = -1) : fixed_(fixed) { model_.graph.name = "case"; }

  void opset(std::int64_t version) { model_.opset = version; }

  /// -1: free, kRows: the batch.
  std::string input(const Shape& shape, DType dtype = DType::kFloat32) {
    const std::string name = next("input");
    model_.graph.inputs.push_back({name, dtype, dims(shape, name), ""});
    return name;
  }

  /// Weights that differ from each other.
  std::string weights(const Shape& shape) {
    Tensor tensor(DType::kFloat32, shape);
    int i = 0;
    for (float& each : tensor.values<float>()) {
      each = static_cast<float>((i++ * 37) % 11 - 5) / 8.0F;
    }
    return constant(std::move(tensor));
  }
  std::string positive(const Shape& shape) {
    Tensor tensor(DType::kFloat32, shape);
    int i = 0;
    for (float& each : tensor.values<float>()) {
      each = 0.5F + static_cast<float>(i++ % 3);
    }
    return constant(std::move(tensor));
  }
  std::string ints(const Ints& values) {
    return constant(Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
  }
  std::string integer(std::int64_t value) {
    return constant(Tensor::of<std::int64_t>({}, std::vector<std::int64_t>{value}));
  }
  std::string floats(const std::vector<float>& values) {
    return constant(Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values));
  }
  std::string number(float value) {
    return constant(Tensor::of<float>({}, std::vector<float>{value}));
  }
  std::string constant(Tensor tensor) {
    const std::string name = next("constant");
    model_.graph.initializers.push_back({name, std::move(tensor), ""});
    return name;
  }

  std::string node(const std::string& op, const std::vector<std::string>& inputs,
                   const Attributes& attributes = {}) {
    return nodes(op, 1, inputs, attributes).front();
  }
  std::vector<std::string> nodes(const std::string& op, int outputs,
                                 const std::vector<std::string>& inputs,
                                 const Attributes& attributes = {}) {
    GraphNode made;
    made.op_type = op;
    made.name = next("the_" + op);
    made.inputs = inputs;
    made.attributes = attributes;
    for (int i = 0; i < outputs; ++i) {
      made.outputs.push_back(next("value"));
    }
    model_.graph.nodes.push_back(made);
    return made.outputs;
  }

  /// Declares an output with that many dimensions, the first the batch.
  void output(const std::string& name, std::size_t rank, DType dtype = DType::kFloat32) {
    Shape shape(rank, -1);
    shape.front() = kRows;
    model_.graph.outputs.push_back({name, dtype, dims(shape, name), ""});
  }

  Model take() { return std::move(model_); }

 private:
  std::string next(const std::string& wish) { return wish + "_" + std::to_string(count_++); }

  std::vector<GraphDim> dims(const Shape& shape, const std::string& name) const {
    std::vector<GraphDim> made;
    for (const std::int64_t size : shape) {
      if (size == kRows) {
        made.push_back({fixed_, fixed_ < 0 ? "N" : ""});
      } else {
        made.push_back({size, size < 0 ? name + "_" + std::to_string(made.size()) : ""});
      }
    }
    return made;
  }

  Model model_;
  std::int64_t fixed_;
  int count_ = 0;
};

struct Case {
  std::string name;
  std::function<void(Builder&)> build;
  std::string problem;  // a part of the reason; "": proven
  std::int64_t fixed = -1;
};

inline void PrintTo(const Case& each, std::ostream* out) {
  *out << each.name;
}

inline Model model_of(const Case& each) {
  Builder builder(each.fixed);
  each.build(builder);
  return builder.take();
}

}  // namespace onnxop::testing_batch
