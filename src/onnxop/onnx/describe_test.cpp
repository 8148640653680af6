// What describe_model tells of a model.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "onnxop/onnx/model_file.h"
#include "onnxop/onnx/test_models.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using namespace testing_models;

constexpr double kConvFlops = 2.0 * (2 * 6 * 6) * (1 * 3 * 3);
constexpr double kGemmFlops = 2.0 * 10 * 72;

class DescribeModel : public testing::Test {
 protected:
  ModelDescription describe(const Model& model) const {
    return describe_model(folder_.write("model.onnx", serialize_model(model)));
  }
  ModelDescription describe(const onnx::ModelProto& proto) const {
    return describe_model(folder_.write("model.onnx", as_bytes(proto.SerializeAsString())));
  }
  static onnx::ModelProto proto_of(const Model& model) {
    const Bytes bytes = serialize_model(model);
    onnx::ModelProto proto;
    EXPECT_TRUE(proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    return proto;
  }

  TemporaryFolder folder_;
};

/// One node between x and y, with y's shape declared.
Model one_node(GraphNode made, GraphInitializer initializer, std::vector<GraphDim> in,
               std::vector<GraphDim> out, DType in_type = DType::kFloat32,
               DType out_type = DType::kFloat32) {
  Model model;
  model.graph.name = "one";
  model.graph.nodes.push_back(std::move(made));
  model.graph.initializers.push_back(std::move(initializer));
  model.graph.inputs.push_back(value("x", std::move(in), in_type));
  model.graph.outputs.push_back(value("y", std::move(out), out_type));
  return model;
}

TEST_F(DescribeModel, TellsWhatTheFileSays) {
  Model model = conv_model();
  const auto path = folder_.write("m.onnx", with_contract(serialize_model(model), conv_contract()));
  const ModelDescription told = describe_model(path);
  EXPECT_EQ(told.producer_name, "onnxop");
  EXPECT_EQ(told.producer_version, "1.2.3");
  EXPECT_EQ(told.doc_string, "A small network.");
  EXPECT_EQ(told.graph_name, "small");
  EXPECT_EQ(told.ir_version, 8);
  EXPECT_THAT(told.opsets, ElementsAre(Pair("ai.onnx", 17)));
  EXPECT_EQ(told.metadata.at("a"), "first");
  ASSERT_EQ(told.inputs.size(), 1U);
  EXPECT_EQ(told.inputs[0].name, "image");
  EXPECT_EQ(told.inputs[0].dtype, DType::kFloat32);
  EXPECT_THAT(told.inputs[0].shape, ElementsAre(-1, 8, 8, 1));
  EXPECT_THAT(told.input_symbols, ElementsAre("image: [N, 8, 8, 1]"));
  EXPECT_THAT(told.outputs[0].shape, ElementsAre(-1, 10));
  EXPECT_EQ(told.parameters, 1 + 18 + 2 + 2 + 720 + 10 + 1);
  EXPECT_EQ(told.file_bytes, std::filesystem::file_size(path));
  EXPECT_THAT(told.external_files, IsEmpty());
  ASSERT_TRUE(told.contract);
  EXPECT_EQ(told.contract->output.labels.size(), 10U);
  EXPECT_THAT(told.problems, IsEmpty());
  EXPECT_THAT(told.notes, IsEmpty());
  ASSERT_TRUE(told.flops_per_sample);
  EXPECT_EQ(*told.flops_per_sample, kConvFlops + kGemmFlops);
}

TEST_F(DescribeModel, DividesAFixedBatchOut) {
  Model model = conv_model();
  model.graph.inputs[0].shape[0] = {4, ""};
  model.graph.outputs[0].shape[0] = {4, ""};
  EXPECT_EQ(describe(model).flops_per_sample, kConvFlops + kGemmFlops);
}

TEST_F(DescribeModel, CountsTransposedConvolution) {
  // 3 to 2 channels, kernel 2x2, stride 2, from 4x4.
  const auto told = describe(one_node(
      node("ConvTranspose", {"x", "w"}, {"y"}, {{"strides", std::vector<std::int64_t>{2, 2}}}),
      weights("w", {3, 2, 2, 2}), {{-1, "N"}, {3, ""}, {4, ""}, {4, ""}},
      {{-1, "N"}, {2, ""}, {8, ""}, {8, ""}}));
  EXPECT_THAT(told.problems, IsEmpty());
  EXPECT_EQ(told.flops_per_sample, 2.0 * 3 * 4 * 4 * 2 * 2 * 2);
}

TEST_F(DescribeModel, CountsGroupedConvolution) {
  const auto told = describe(one_node(
      node("Conv", {"x", "w"}, {"y"}, {{"group", std::int64_t{4}}}), weights("w", {8, 1, 3, 3}),
      {{-1, "N"}, {4, ""}, {5, ""}, {5, ""}}, {{-1, "N"}, {8, ""}, {3, ""}, {3, ""}}));
  EXPECT_EQ(told.flops_per_sample, 2.0 * 8 * 3 * 3 * 1 * 3 * 3);
}

TEST_F(DescribeModel, CountsMatrixProducts) {
  const auto batched =
      describe(one_node(node("MatMul", {"x", "w"}, {"y"}), weights("w", {7, 5}),
                        {{-1, "N"}, {6, ""}, {7, ""}}, {{-1, "N"}, {6, ""}, {5, ""}}));
  EXPECT_EQ(batched.flops_per_sample, 2.0 * 6 * 7 * 5);

  const auto transposed =
      describe(one_node(node("Gemm", {"w", "x"}, {"y"}, {{"transA", std::int64_t{1}}}),
                        weights("w", {7, 5}), {{7, ""}, {3, ""}}, {{5, ""}, {3, ""}}));
  EXPECT_EQ(transposed.flops_per_sample,
            2.0 * 5 * 3 * 7 / 7);  // x's first dimension is taken for a batch of 7
}

TEST_F(DescribeModel, CountsIntegerProducts) {
  GraphInitializer w{"w", Tensor(DType::kInt8, {7, 5}), ""};
  const auto told =
      describe(one_node(node("MatMulInteger", {"x", "w"}, {"y"}), std::move(w),
                        {{-1, "N"}, {7, ""}}, {{-1, "N"}, {5, ""}}, DType::kInt8, DType::kInt32));
  EXPECT_THAT(told.problems, IsEmpty());
  EXPECT_EQ(told.flops_per_sample, 2.0 * 7 * 5);
}

TEST_F(DescribeModel, LeavesFlopsOutWhereShapesAreFree) {
  EXPECT_FALSE(describe(one_node(node("Conv", {"x", "w"}, {"y"}), weights("w", {8, 1, 3, 3}),
                                 {{-1, "N"}, {1, ""}, {-1, "H"}, {-1, "W"}},
                                 {{-1, "N"}, {8, ""}, {-1, ""}, {-1, ""}}))
                   .flops_per_sample);
}

TEST_F(DescribeModel, TellsOriginsApart) {
  auto proto = proto_of(conv_model());
  const auto import = [&](const char* domain) {
    auto* made = proto.add_opset_import();
    made->set_domain(domain);
    made->set_version(1);
  };
  import("com.microsoft");
  import("ai.onnx.ml");
  const auto add = [&](const char* op_type, const char* domain) {
    auto* made = proto.mutable_graph()->add_node();
    made->set_op_type(op_type);
    made->set_domain(domain);
    made->add_input("dense");
    made->add_output(format("out_{}", proto.graph().node_size()));
  };
  add("Gelu", "com.microsoft");
  add("Gelu", "com.microsoft");
  add("Scaler", "ai.onnx.ml");
  add("ScaledTanh", "");
  const auto told = describe(proto);
  const auto find = [&](const std::string& op_type) {
    for (const auto& each : told.operators) {
      if (each.op_type == op_type) {
        return each;
      }
    }
    return OperatorCount{};
  };
  using Origin = OperatorCount::Origin;
  EXPECT_EQ(find("Gelu").count, 2);
  EXPECT_EQ(find("Gelu").domain, "com.microsoft");
  EXPECT_EQ(find("Gelu").origin, Origin::kCustom);
  EXPECT_EQ(find("Conv").origin, Origin::kCore);
  EXPECT_EQ(find("Conv").domain, "ai.onnx");
  EXPECT_EQ(find("Scaler").origin, Origin::kCore);
  EXPECT_EQ(find("ScaledTanh").origin, Origin::kExperimental);
  EXPECT_EQ(told.operators.front().domain, "ai.onnx");
  EXPECT_EQ(told.operators.front().op_type, "Conv");
  EXPECT_EQ(told.operators.back().domain, "com.microsoft");
}

TEST_F(DescribeModel, CountsOperatorsAndParametersOfSubgraphs) {
  auto proto = proto_of(conv_model());
  auto* loop = proto.mutable_graph()->add_node();
  loop->set_op_type("Loop");
  auto* attribute = loop->add_attribute();
  attribute->set_name("body");
  attribute->set_type(onnx::AttributeProto::GRAPH);
  auto* relu = attribute->mutable_g()->add_node();
  relu->set_op_type("Relu");
  relu->add_input("inner");
  relu->add_output("inner_out");
  auto* inner = attribute->mutable_g()->add_initializer();
  *inner = proto.graph().initializer(1);
  inner->set_name("inner");
  const auto told = describe(proto);
  EXPECT_EQ(told.parameters, 754 + 18);
  for (const auto& each : told.operators) {
    if (each.op_type == "Relu") {
      EXPECT_EQ(each.count, 2);
    }
  }
}

TEST_F(DescribeModel, ListsProblemsInsteadOfThrowing) {
  auto proto = proto_of(conv_model());
  proto.mutable_graph()->mutable_node(3)->set_input(0, "absent");
  proto.mutable_graph()->mutable_initializer(1)->mutable_raw_data()->pop_back();
  const auto told = describe(proto);
  EXPECT_THAT(told.problems, ElementsAre(HasSubstr("'absent'"), HasSubstr("conv_w")));
  EXPECT_FALSE(told.flops_per_sample);
  EXPECT_EQ(told.inputs.size(), 1U);
}

TEST_F(DescribeModel, KeepsInitializersOutOfTheInputs) {
  auto proto = proto_of(conv_model());
  auto* input = proto.mutable_graph()->add_input();
  input->set_name("conv_b");
  input->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  input->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(2);
  const auto told = describe(proto);
  EXPECT_THAT(told.problems, IsEmpty());
  EXPECT_EQ(told.inputs.size(), 1U);
}

TEST_F(DescribeModel, CountsFlopsOfNewerOpsetsWhereItCan) {
  auto proto = proto_of(conv_model());
  proto.mutable_opset_import(0)->set_version(999);
  const auto told = describe(proto);
  EXPECT_THAT(told.problems, IsEmpty());
  EXPECT_THAT(told.notes, ElementsAre(HasSubstr("opset 999")));
  EXPECT_EQ(told.flops_per_sample, kConvFlops + kGemmFlops);
}

}  // namespace
}  // namespace onnxop
