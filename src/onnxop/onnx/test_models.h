#pragma once
// Small models, and a place for them, for tests of this room and those above it.

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <stdlib.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/onnx/model_file.h"

namespace onnxop::testing_models {

inline GraphNode node(std::string op_type, std::vector<std::string> inputs,
                      std::vector<std::string> outputs,
                      std::map<std::string, AttributeValue> attributes = {}) {
  GraphNode made;
  made.op_type = std::move(op_type);
  made.name = "make_" + outputs.at(0);
  made.inputs = std::move(inputs);
  made.outputs = std::move(outputs);
  made.attributes = std::move(attributes);
  return made;
}

inline GraphValue value(std::string name, std::vector<GraphDim> shape,
                        DType dtype = DType::kFloat32) {
  return {std::move(name), dtype, std::move(shape), ""};
}

/// Values that go up and down around 0, the same each time.
inline GraphInitializer weights(std::string name, Shape shape) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  int i = 0;
  for (float& each : tensor.values<float>()) {
    each = static_cast<float>(i++ % 7 - 3) / 8.0F;
  }
  return {std::move(name), std::move(tensor), ""};
}

inline GraphInitializer integers(std::string name, const std::vector<std::int64_t>& values) {
  return {std::move(name),
          Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values), ""};
}

/// image [N,8,8,1] in 0..255 -> scale, layout, Conv 3x3 (1 to 2 channels), Relu, Dropout, Reshape,
/// Gemm (72 to 10), Softmax -> probabilities [N,10].
inline Model conv_model() {
  using List = std::vector<std::int64_t>;
  Model model;
  model.producer_version = "1.2.3";
  model.doc_string = "A small network.";
  model.metadata = {{"b", "second"}, {"a", "first"}};
  Graph& graph = model.graph;
  graph.name = "small";
  const std::vector<float> scale{1.0F / 255};
  graph.initializers.push_back({"scale", Tensor::of<float>({1}, scale), "of a pixel"});
  graph.initializers.push_back(weights("conv_w", {2, 1, 3, 3}));
  graph.initializers.push_back(weights("conv_b", {2}));
  graph.initializers.push_back(integers("flat", {-1, 72}));
  graph.initializers.push_back(weights("dense_w", {10, 72}));
  graph.initializers.push_back(weights("dense_b", {10}));
  const std::vector<float> ratio{0.25F};
  graph.initializers.push_back({"ratio", Tensor::of<float>({}, ratio), ""});
  graph.nodes = {node("Mul", {"image", "scale"}, {"scaled"}),
                 node("Transpose", {"scaled"}, {"planes"}, {{"perm", List{0, 3, 1, 2}}}),
                 node("Conv", {"planes", "conv_w", "conv_b"}, {"conv"},
                      {{"kernel_shape", List{3, 3}}, {"strides", List{1, 1}}}),
                 node("Relu", {"conv"}, {"relu"}),
                 node("Dropout", {"relu", "ratio"}, {"dropped"}),
                 node("Reshape", {"dropped", "flat"}, {"row"}),
                 node("Gemm", {"row", "dense_w", "dense_b"}, {"dense"},
                      {{"transB", std::int64_t{1}}, {"alpha", 1.0F}}),
                 node("Softmax", {"dense"}, {"probabilities"}, {{"axis", std::int64_t{1}}})};
  graph.inputs.push_back(value("image", {{-1, "N"}, {8, ""}, {8, ""}, {1, ""}}));
  graph.outputs.push_back(value("probabilities", {{-1, "N"}, {10, ""}}));
  return model;
}

inline Contract conv_contract() {
  Contract contract;
  contract.input.name = "image";
  contract.input.width = 8;
  contract.input.height = 8;
  contract.output.name = "probabilities";
  contract.output.labels = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  return contract;
}

/// A folder that is there as long as the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "onnxop-model.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      fail(ErrorCode::kIo, "no temporary folder at {}", name);
    }
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, std::span<const std::byte> content) const {
    write_file_atomically(path_ / name, content);
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// The error that `action` throws, as "code: message"; "" when it throws none.
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return format("{}: {}", error_code_name(e.code()), e.what());
  }
  return "";
}

}  // namespace onnxop::testing_models
