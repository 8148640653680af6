// Damaged files make errors or other models, never a crash.

#include <array>
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "onnxop/base/random.h"
#include "onnxop/base/test_sanitizers.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/onnx/test_models.h"

namespace onnxop {
namespace {

using namespace testing_models;

class DamagedFile : public testing::Test {
 protected:
  /// The network with few weights, so that most bytes mean something, and a subgraph, an external
  /// tensor and a Split.
  static std::string model_bytes() {
    Model model = conv_model();
    std::erase_if(model.graph.nodes, [](const GraphNode& each) { return each.op_type == "Gemm"; });
    std::erase_if(model.graph.initializers,
                  [](const GraphInitializer& each) { return each.name == "dense_w"; });
    model.graph.nodes.back().inputs = {"row"};
    model.graph.outputs[0].shape[1] = {72, ""};
    using List = std::vector<std::int64_t>;
    model.graph.nodes.push_back(node("MaxPool", {"relu"}, {"pooled"},
                                     {{"kernel_shape", List{2, 2}},
                                      {"strides", List{2, 2}},
                                      {"pads", List{0, 0, 1, 1}},
                                      {"dilations", List{1, 1}}}));
    model.graph.nodes.push_back(node("ConvTranspose", {"pooled", "conv_w"}, {"up"},
                                     {{"strides", List{2, 2}}, {"output_padding", List{1, 1}}}));
    model.graph.nodes.push_back(
        node("DepthToSpace", {"wide"}, {"deep"}, {{"blocksize", std::int64_t{2}}}));
    model.graph.nodes.insert(model.graph.nodes.end() - 1, node("Concat", {"conv", "conv"}, {"wide"},
                                                               {{"axis", std::int64_t{1}}}));
    model.graph.nodes.push_back(
        node("Split", {"wide"}, {"half", "other"}, {{"axis", std::int64_t{1}}}));
    model.graph.nodes.push_back(
        node("Slice", {"wide", "starts", "ends", "axes", "steps"}, {"part"}));
    for (const char* name : {"starts", "ends", "axes", "steps"}) {
      model.graph.initializers.push_back(integers(name, {1}));
    }
    model.graph.nodes.push_back(node("Unsqueeze", {"wide", "axes"}, {"more"}));
    model.graph.nodes.push_back(node("ReduceMean", {"wide"}, {"mean"}, {{"axes", List{2, 3}}}));
    model.graph.nodes.push_back(node("Shape", {"wide"}, {"shape"}));
    model.graph.nodes.push_back(node("Gather", {"shape", "axes"}, {"size"}));
    model.graph.nodes.push_back(node("Range", {"zero", "four", "two"}, {"range"}));
    for (const auto& [name, number] :
         std::map<std::string, std::int64_t>{{"zero", 0}, {"four", 4}, {"two", 2}}) {
      const std::vector<std::int64_t> one{number};
      model.graph.initializers.push_back({name, Tensor::of<std::int64_t>({}, one), ""});
    }
    model.graph.nodes.push_back(node("Tile", {"range", "steps"}, {"tiled"}));
    model.graph.nodes.push_back(node("Expand", {"range", "range"}, {"expanded"}));
    model.graph.nodes.push_back(node("Pad", {"wide", "range"}, {"padded"}));
    model.graph.nodes.push_back(node("Resize", {"wide", "", "scales"}, {"resized"}));
    const std::vector<float> scales{1, 1, 2, 2};
    model.graph.initializers.push_back({"scales", Tensor::of<float>({4}, scales), ""});
    model.graph.nodes.push_back(
        node("Einsum", {"row", "row"}, {"ein"}, {{"equation", std::string("ij,ij->i")}}));
    model.graph.nodes.push_back(node("TopK", {"row", "steps"}, {"top", "which"}));
    const Bytes bytes = serialize_model(model);
    onnx::ModelProto proto;
    EXPECT_TRUE(proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    add_branch(*proto.mutable_graph());
    return proto.SerializeAsString();
  }

  static void add_branch(onnx::GraphProto& graph) {
    auto* flag = graph.add_initializer();
    flag->set_name("flag");
    flag->set_data_type(onnx::TensorProto::BOOL);
    flag->add_int32_data(1);
    auto* branch = graph.add_node();
    branch->set_op_type("If");
    branch->add_input("flag");
    branch->add_output("chosen");
    for (const char* name : {"then_branch", "else_branch"}) {
      auto* attribute = branch->add_attribute();
      attribute->set_name(name);
      attribute->set_type(onnx::AttributeProto::GRAPH);
      auto* body = attribute->mutable_g();
      body->set_name(name);
      auto* relu = body->add_node();
      relu->set_op_type("Relu");
      relu->add_input("conv");
      relu->add_output(name);
      auto* output = body->add_output();
      output->set_name(name);
      output->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    }
  }

  /// Reads it; gives true when check_model took it.
  bool try_check(const std::string& bytes) const {
    const auto path = folder_.path() / "damaged.onnx";
    std::ofstream(path, std::ios::binary) << bytes;
    error_of([&] { read_contract(path); });
    const auto all = as_bytes(bytes);
    error_of([&] { with_contract(Bytes(all.begin(), all.end()), conv_contract()); });
    return error_of([&] { check_model(path); }).empty();
  }

  void try_describe(const std::string& bytes) const {
    const auto path = folder_.path() / "damaged.onnx";
    std::ofstream(path, std::ios::binary) << bytes;
    error_of([&] { describe_model(path); });
  }

  TemporaryFolder folder_;
};

TEST_F(DamagedFile, TruncatedAtEveryByte) {
  const std::string whole = model_bytes();
  ASSERT_TRUE(try_check(whole));
  int accepted = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    accepted += try_check(whole.substr(0, size)) ? 1 : 0;
  }
  EXPECT_LE(accepted, 2);  // only what ends before a metadata entry is a model of its own
}

TEST_F(DamagedFile, ChangedAtEveryByte) {
  // A check has a process of its own, which takes ten times as long with a sanitizer.
  constexpr std::size_t kStep = kSanitized ? 10 : 1;
  const std::string whole = model_bytes();
  for (std::size_t at = 0; at < whole.size(); at += kStep) {
    constexpr std::array<int, 3> kMasks{0x01, 0x80, 0xff};
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ kMasks[at % kMasks.size()]);
    try_check(changed);
  }
}

TEST_F(DamagedFile, ChangedInSeveralPlaces) {
  const std::string whole = model_bytes();
  Random random(7, 0);
  for (int round = 0; round < 300; ++round) {
    std::string changed = whole;
    for (int i = 0; i < 4; ++i) {
      changed[random.below(static_cast<std::uint32_t>(whole.size()))] =
          static_cast<char>(random.below(256));
    }
    try_describe(changed);
  }
}

}  // namespace
}  // namespace onnxop
