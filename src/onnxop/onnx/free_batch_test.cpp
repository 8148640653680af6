// Models with a fixed number of rows, made free; and models from files.

#include <onnx/onnx_pb.h>

#include "onnxop/onnx/test_batch_check.h"

namespace onnxop::testing_batch {
namespace {

constexpr std::int64_t kN = kRows;

std::string reshape(Builder& b, const std::string& x, const Ints& target) {
  return b.node("Reshape", {x, b.ints(target)});
}

std::vector<Case> fixed_cases() {
  return {
      {"NothingToRewrite",
       [](Builder& b) {
         b.output(b.node("Relu", {b.input({kN, 3})}), 2);
       },
       "", 4},
      {"ReshapeToOneRow",
       [](Builder& b) {
         b.output(reshape(b, b.input({kN, 2, 3}), {1, -1}), 2);
       },
       "", 1},
      {"ReshapeToSeveralRows",
       [](Builder& b) {
         b.output(reshape(b, b.input({kN, 2, 3}), {2, 3, 2}), 3);
       },
       "", 2},
      {"ReshapeSharesItsTarget",
       [](Builder& b) {
         const auto target = b.ints({2, 6});
         const auto x = b.node("Reshape", {b.input({kN, 2, 3}), target});
         const auto y = b.node("Reshape", {b.node("Relu", {x}), target});
         b.output(b.node("Add", {y, b.node("Reshape", {b.weights({3, 4}), b.ints({2, 6})})}), 2);
       },
       "broadcasting aligns the batch dimension with a constant's dimension of size 2", 2},
      {"TargetsOfConstantsStay",
       [](Builder& b) {
         const auto target = b.ints({1, 6});
         const auto x = b.node("Reshape", {b.input({kN, 2, 3}), target});
         b.output(b.node("Add", {x, b.node("Reshape", {b.weights({3, 2}), target})}), 2);
       },
       "", 1},
      {"ReshapeBehindAnotherDimension",
       [](Builder& b) {
         auto x = b.node("Transpose", {b.input({kN, 3, 4})}, {{"perm", Ints{1, 0, 2}}});
         x = reshape(b, x, {3, 2, 2, 2});
         x = reshape(b, x, {1, 3, 2, 4});
         x = b.node("Squeeze", {x, b.ints({0})});
         b.output(b.node("Transpose", {x}, {{"perm", Ints{1, 0, 2}}}), 3);
       },
       "", 2},
      {"ReshapeThatMixes",
       [](Builder& b) {
         b.output(reshape(b, b.input({kN, 2, 3}), {4, 3}), 2);
       },
       "it mixes the batch dimension", 2},
      {"ExpandToTheFixedRows",
       [](Builder& b) {
         const auto token = b.node("Expand", {b.weights({1, 2}), b.ints({2, 2})});
         b.output(b.node("Concat", {token, b.input({kN, 3})}, {{"axis", std::int64_t{1}}}), 2);
       },
       "its inputs are not all batched", 2},
      {"SqueezeOfOneRow",
       [](Builder& b) {
         const auto x = b.node("Squeeze", {b.input({kN, 3}), b.ints({0})});
         b.output(b.node("Unsqueeze", {x, b.ints({0})}), 2);
       },
       "it takes the batch dimension out", 1},
      {"WeightsForEachRow",
       [](Builder& b) {
         b.output(b.node("Add", {b.input({kN, 3}), b.weights({2, 3})}), 2);
       },
       "a constant's dimension of size 2", 2},
      {"SmallNetwork",
       [](Builder& b) {
         auto x = b.node("Conv", {b.input({kN, 1, 6, 6}), b.weights({2, 1, 3, 3})});
         x = b.node("MaxPool", {b.node("Relu", {x})},
                    {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
         x = reshape(b, x, {1, 8});
         x = b.node("Gemm", {x, b.weights({8, 3}), b.weights({1, 3})});
         b.output(b.node("Softmax", {x}), 2);
       },
       "", 1},
  };
}

class FixedBatch : public ::testing::TestWithParam<Case> {};

TEST_P(FixedBatch, IsMadeFreeOrRefused) {
  check(GetParam());
  if (!GetParam().problem.empty()) {
    try {
      with_free_batch(model_of(GetParam()));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kUnsupported);
      EXPECT_THAT(e.what(), ::testing::HasSubstr(GetParam().problem));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, FixedBatch, ::testing::ValuesIn(fixed_cases()),
                         [](const auto& each) { return each.param.name; });

using testing_models::TemporaryFolder;

onnx::ModelProto parsed(const Bytes& bytes) {
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return proto;
}

Bytes written(const onnx::ModelProto& proto) {
  const std::string text = proto.SerializeAsString();
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

Model reshaping_model(std::int64_t fixed) {
  Builder b(fixed);
  b.output(b.node("Relu", {reshape(b, b.input({kN, 2, 3}), {fixed, 6})}), 2);
  return b.take();
}

TEST(FreeBatch, AFreeModelStays) {
  const Model model = with_free_batch(testing_models::conv_model());
  EXPECT_EQ(serialize_model(model), serialize_model(testing_models::conv_model()));
  const TemporaryFolder folder;
  const auto path = folder.write("m.onnx", serialize_model(model));
  EXPECT_EQ(with_free_batch(path), serialize_model(model));
}

TEST(FreeBatch, TheFilesSymbolIsNotTaken) {
  onnx::ModelProto proto = parsed(serialize_model(reshaping_model(2)));
  auto& value = *proto.mutable_graph()->add_value_info();
  value.set_name(proto.graph().node(0).output(0));
  auto& shape = *value.mutable_type()->mutable_tensor_type()->mutable_shape();
  value.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  shape.add_dim()->set_dim_value(2);
  shape.add_dim()->set_dim_param("batch");
  const TemporaryFolder folder;
  const auto free = parsed(with_free_batch(folder.write("m.onnx", written(proto))));
  const auto symbol = [](const onnx::ValueInfoProto& of) {
    return of.type().tensor_type().shape().dim(0).dim_param();
  };
  EXPECT_EQ(symbol(free.graph().input(0)), "batch_2");
  EXPECT_EQ(symbol(free.graph().output(0)), "batch_2");
  EXPECT_EQ(symbol(free.graph().value_info(0)), "batch_2");
  EXPECT_EQ(free.graph().initializer_size(), 1) << "the old target is gone";
}

TEST(FreeBatch, AnOldFilesTargetIsAnInputToo) {
  onnx::ModelProto proto = parsed(serialize_model(reshaping_model(2)));
  proto.set_ir_version(3);
  auto& input = *proto.mutable_graph()->add_input();
  input.set_name(proto.graph().initializer(0).name());
  input.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT64);
  input.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(2);
  const TemporaryFolder folder;
  const Bytes free = with_free_batch(folder.write("m.onnx", written(proto)));
  EXPECT_EQ(parsed(free).graph().input_size(), 2);
  const auto path = folder.write("free.onnx", free);
  check_model(path);
  expect_rows_apart(*load_ort_scorer(path));
}

/// A file's Constant holds a tensor; its targets are changed all the same.
TEST(FreeBatch, TargetsOfConstantNodes) {
  onnx::ModelProto proto = parsed(serialize_model(reshaping_model(2)));
  auto& graph = *proto.mutable_graph();
  auto& constant = *graph.add_node();
  constant.set_op_type("Constant");
  constant.add_output(graph.initializer(0).name());
  auto& attribute = *constant.add_attribute();
  attribute.set_name("value");
  attribute.set_type(onnx::AttributeProto::TENSOR);
  *attribute.mutable_t() = graph.initializer(0);
  graph.clear_initializer();
  graph.mutable_node()->SwapElements(0, graph.node_size() - 1);
  graph.mutable_node()->SwapElements(1, graph.node_size() - 1);
  const TemporaryFolder folder;
  const auto path = folder.write("m.onnx", written(proto));
  const auto found = find_batch_dimension(path);
  EXPECT_TRUE(found.proven) << found.reason;
  EXPECT_EQ(found.fixed, 2);
  expect_rows_apart(*load_ort_scorer(folder.write("free.onnx", with_free_batch(path))));
}

struct Oddity {
  std::string name;
  std::function<void(onnx::ModelProto&)> make;
  std::string problem;
};

TEST(BatchDimensionOfFiles, WhatGraphsOfThisProgramDoNotHave) {
  const std::vector<Oddity> oddities{
      {"another domain",
       [](onnx::ModelProto& m) { m.mutable_graph()->mutable_node(1)->set_domain("com.microsoft"); },
       "operators of domain 'com.microsoft' are not known"},
      {"scikit-learn's domain",
       [](onnx::ModelProto& m) { m.mutable_graph()->mutable_node(1)->set_domain("ai.onnx.ml"); },
       "operators of domain 'ai.onnx.ml' are not known"},
      {"a subgraph",
       [](onnx::ModelProto& m) {
         auto& attribute = *m.mutable_graph()->mutable_node(1)->add_attribute();
         attribute.set_name("body");
         attribute.set_type(onnx::AttributeProto::GRAPH);
         attribute.mutable_g()->set_name("inner");
       },
       "it has a graph of its own"},
      {"a function",
       [](onnx::ModelProto& m) {
         auto& function = *m.add_functions();
         function.set_name("Relu");
         function.set_domain("ai.onnx");
       },
       "the model defines this operator itself"},
      {"an attribute without a type",
       [](onnx::ModelProto& m) {
         auto& attribute = *m.mutable_graph()->mutable_node(1)->add_attribute();
         attribute.set_name("axis");
         attribute.set_i(0);
       },
       "its attribute 'axis' has no type"},
      {"an attribute twice",
       [](onnx::ModelProto& m) {
         for (int i = 0; i < 2; ++i) {
           auto& attribute = *m.mutable_graph()->mutable_node(1)->add_attribute();
           attribute.set_name("axis");
           attribute.set_type(onnx::AttributeProto::INT);
           attribute.set_i(i);
         }
       },
       "it has two attributes 'axis'"},
      {"a value made twice",
       [](onnx::ModelProto& m) {
         m.mutable_graph()->mutable_node(1)->set_output(0, m.graph().node(0).output(0));
       },
       "is made twice"},
      {"an input that is no tensor",
       [](onnx::ModelProto& m) {
         m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type();
       },
       "has no dimension 0"},
      {"an output of other rows",
       [](onnx::ModelProto& m) {
         auto& type = *m.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type();
         type.mutable_shape()->mutable_dim(0)->set_dim_value(3);
       },
       "declares a dimension 0 of size 3, where the inputs have 2"},
  };
  const TemporaryFolder folder;
  for (const Oddity& each : oddities) {
    onnx::ModelProto proto = parsed(serialize_model(reshaping_model(2)));
    each.make(proto);
    const auto found = find_batch_dimension(folder.write("m.onnx", written(proto)));
    EXPECT_FALSE(found.proven) << each.name;
    EXPECT_THAT(found.reason, ::testing::HasSubstr(each.problem)) << each.name;
  }
}

TEST(BatchDimensionOfFiles, TheSameAsOfGraphs) {
  const TemporaryFolder folder;
  const Model model = testing_models::conv_model();
  const auto found = find_batch_dimension(folder.write("m.onnx", serialize_model(model)));
  EXPECT_TRUE(found.proven) << found.reason;
  EXPECT_FALSE(found.fixed);
  EXPECT_TRUE(find_batch_dimension(model.graph).proven);
  EXPECT_THROW(find_batch_dimension(folder.path() / "none.onnx"), Error);
}

}  // namespace
}  // namespace onnxop::testing_batch
