// What check_model accepts and refuses.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/onnx/test_check.h"

namespace onnxop {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace testing_models;

// --- Structure ---

TEST_F(CheckModel, NamesAnInputThatNothingMakes) {
  graph_->mutable_node(3)->set_input(0, "konv");
  EXPECT_THAT(error(), AllOf(HasSubstr("invalid_argument"), HasSubstr("model.onnx"),
                             HasSubstr("node 'make_relu' (Relu): nothing makes its input 'konv'")));
}

TEST_F(CheckModel, FindsNodesOutOfOrderAndCycles) {
  graph_->mutable_node()->SwapElements(2, 3);
  EXPECT_THAT(error(),
              HasSubstr("node 'make_relu' (Relu): input 'conv' is used before it is made"));
  graph_->mutable_node()->SwapElements(2, 3);
  graph_->mutable_node(1)->set_input(0, "relu");
  EXPECT_THAT(error(), AllOf(HasSubstr("'relu' is used before it is made"), HasSubstr("cycle")));
}

TEST_F(CheckModel, FindsNamesMadeTwice) {
  add_node("Relu", "conv", "relu");
  EXPECT_THAT(error(), HasSubstr("its output 'relu' is made twice"));
  graph_->mutable_node()->RemoveLast();
  *graph_->add_initializer() = graph_->initializer(0);
  EXPECT_THAT(error(), HasSubstr("initializer 'scale' has no name or is there twice"));
  graph_->mutable_initializer()->RemoveLast();
  *graph_->add_input() = graph_->input(0);
  EXPECT_THAT(error(), HasSubstr("input 'image' has no name or is there twice"));
}

TEST_F(CheckModel, FindsAnOutputThatNothingMakes) {
  graph_->mutable_output(0)->set_name("logits");
  EXPECT_THAT(error(), HasSubstr("nothing makes its output 'logits'"));
}

TEST_F(CheckModel, FindsDomainsThatAreNotImported) {
  add_node("Gelu", "conv", "extra", "com.microsoft");
  EXPECT_THAT(error(), HasSubstr("its domain com.microsoft is not in opset_import"));
}

TEST_F(CheckModel, FindsDoubleImportsAndMetadata) {
  import("ai.onnx", 17);
  EXPECT_THAT(error(), HasSubstr("opset_import of ai.onnx is there twice"));
  proto_.mutable_opset_import()->RemoveLast();
  proto_.mutable_opset_import(0)->set_version(0);
  EXPECT_THAT(error(), HasSubstr("got version 0"));
  proto_.mutable_opset_import(0)->set_version(17);
  *proto_.add_metadata_props() = proto_.metadata_props(0);
  EXPECT_THAT(error(), HasSubstr("metadata key 'a' is there twice"));
}

TEST_F(CheckModel, FindsSizesThatNoOperatorTakes) {
  graph_->mutable_node(2)->mutable_attribute(1)->set_ints(0, 0);
  EXPECT_THAT(error(), HasSubstr("node 'make_conv' (Conv): got strides [0, 1]"));
  graph_->mutable_node(2)->mutable_attribute(1)->set_ints(0, -1);
  EXPECT_THAT(error(), HasSubstr("strides [-1, 1]"));
}

TEST_F(CheckModel, LooksIntoSubgraphs) {
  auto* branch = add_node("If", "flag", "chosen");
  auto* flag = graph_->add_initializer();
  flag->set_name("flag");
  flag->set_data_type(onnx::TensorProto::BOOL);
  flag->set_raw_data("\1");
  for (const char* name : {"then_branch", "else_branch"}) {
    auto* attribute = branch->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::GRAPH);
    auto* body = attribute->mutable_g();
    body->set_name(name);
    auto* relu = body->add_node();
    relu->set_op_type("Relu");
    relu->add_input("conv");  // of the graph around
    relu->add_output(std::string(name) + "_out");
    body->add_output()->set_name(std::string(name) + "_out");
  }
  for (int i = 0; i < 2; ++i) {
    auto* type = branch->mutable_attribute(i)->mutable_g()->mutable_output(0)->mutable_type();
    type->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  }
  EXPECT_EQ(error(), "");
  branch->mutable_attribute(1)->mutable_g()->mutable_node(0)->set_input(0, "absent");
  EXPECT_THAT(error(),
              HasSubstr("node making 'else_branch_out' (Relu): nothing makes its input 'absent'"));
}

TEST_F(CheckModel, ShowsTheFirstFewProblems) {
  for (int i = 0; i < 30; ++i) {
    add_node("Relu", format("absent{}", i), format("extra{}", i));
  }
  EXPECT_THAT(error(), AllOf(HasSubstr("'absent4'"), HasSubstr("and 15 more"),
                             testing::Not(HasSubstr("'absent5'"))));
}

// --- Tensors ---

TEST_F(CheckModel, ComparesDataWithDimensions) {
  auto* weights = graph_->mutable_initializer(1);
  weights->mutable_raw_data()->pop_back();
  EXPECT_THAT(error(), HasSubstr("initializer 'conv_w': got 71 bytes of raw_data, expected 72"));
  weights->set_dims(0, -2);
  EXPECT_THAT(error(), HasSubstr("got dimensions [-2, 1, 3, 3]"));
  weights->set_dims(0, std::int64_t{1} << 62);
  EXPECT_THAT(error(), HasSubstr("fewer elements"));
  weights->set_dims(0, 2);
  weights->clear_raw_data();
  EXPECT_THAT(error(), HasSubstr("got 0 values in float_data, expected 18"));
  weights->set_data_type(99);
  EXPECT_THAT(error(), HasSubstr("got element type 99"));
}

TEST_F(CheckModel, RefusesAbsurdSizesOfValues) {
  auto* shape = graph_->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape->mutable_dim(1)->set_dim_value(std::int64_t{1} << 62);
  shape->mutable_dim(2)->set_dim_value(std::int64_t{1} << 62);
  EXPECT_THAT(error(), AllOf(HasSubstr("value 'image'"),
                             HasSubstr("[?, 4611686018427387904, 4611686018427387904, 1]"),
                             HasSubstr("at most 2147483648 elements")));
}

TEST_F(CheckModel, RefusesAbsurdSizesThatTheGraphComputes) {
  auto* size = graph_->add_initializer();
  size->set_name("size");
  size->set_data_type(onnx::TensorProto::INT64);
  size->add_dims(2);
  size->add_int64_data(std::int64_t{1} << 20);
  size->add_int64_data(1 << 11);
  add_node("ConstantOfShape", "size", "filled");
  EXPECT_EQ(error(), "");
  size->set_int64_data(1, (1 << 11) + 1);
  EXPECT_THAT(error(), AllOf(HasSubstr("value 'filled'"), HasSubstr("[1048576, 2049]")));
}

TEST_F(CheckModel, TakesValuesFromEveryField) {
  const auto add = [&](onnx::TensorProto::DataType type, int elements) {
    auto* tensor = graph_->add_initializer();
    tensor->set_name(format("t{}", static_cast<int>(type)));
    tensor->set_data_type(type);
    tensor->add_dims(elements);
    return tensor;
  };
  add(onnx::TensorProto::DOUBLE, 1)->add_double_data(1);
  add(onnx::TensorProto::INT64, 1)->add_int64_data(1);
  add(onnx::TensorProto::UINT64, 1)->add_uint64_data(1);
  add(onnx::TensorProto::UINT32, 1)->add_uint64_data(1);
  add(onnx::TensorProto::STRING, 1)->add_string_data("x");
  add(onnx::TensorProto::FLOAT16, 1)->add_int32_data(1);
  auto* complex = add(onnx::TensorProto::COMPLEX64, 1);
  complex->add_float_data(1);
  complex->add_float_data(1);
  EXPECT_EQ(error(), "");
  complex->add_float_data(1);
  EXPECT_THAT(error(), HasSubstr("got 3 values in float_data, expected 2"));
}

TEST_F(CheckModel, LooksAtTensorsInAttributes) {
  auto* constant = add_node("Constant", "", "extra");
  constant->clear_input();
  auto* attribute = constant->add_attribute();
  attribute->set_name("value");
  attribute->set_type(onnx::AttributeProto::TENSOR);
  attribute->mutable_t()->set_data_type(onnx::TensorProto::INT64);
  attribute->mutable_t()->add_dims(3);
  attribute->mutable_t()->set_raw_data(std::string(8, '\0'));
  EXPECT_THAT(
      error(),
      HasSubstr(
          "node 'extra' (Constant), attribute 'value': got 8 bytes of raw_data, expected 24"));
}

// --- Operators, types and shapes ---

TEST_F(CheckModel, NamesAnUnknownOperator) {
  add_node("Rleu", "conv", "extra");
  EXPECT_THAT(error(), AllOf(HasSubstr("node 'extra' (Rleu)"),
                             HasSubstr("ai.onnx has no operator 'Rleu' in opset 17")));
  graph_->mutable_node()->RemoveLast();
  add_node("Mish", "conv", "extra");  // from opset 18 on
  EXPECT_THAT(error(), HasSubstr("has no operator 'Mish' in opset 17"));
}

TEST_F(CheckModel, RunsTheChecker) {
  graph_->mutable_node(6)->mutable_attribute(0)->set_name("alhpa");
  EXPECT_THAT(error(), AllOf(HasSubstr("checker: "), HasSubstr("alhpa"), HasSubstr("make_dense"),
                             testing::Not(HasSubstr("\n"))));
}

TEST_F(CheckModel, RunsStrictShapeInference) {
  graph_->mutable_node(1)->mutable_attribute(0)->mutable_ints()->RemoveLast();
  EXPECT_THAT(error(), AllOf(HasSubstr("invalid_argument"), HasSubstr("shape inference: "),
                             HasSubstr("make_conv")));
}

TEST_F(CheckModel, ComparesDeclaredWithInferredShapes) {
  graph_->mutable_output(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(1)
      ->set_dim_value(11);
  EXPECT_THAT(error(), HasSubstr("shape inference: "));
}

// --- What this libonnx cannot judge ---

TEST_F(CheckModel, LeavesNewerOpsetsUnjudged) {
  proto_.set_ir_version(10);
  proto_.mutable_opset_import(0)->set_version(999);
  auto* norm = add_node("GroupNormalization", "relu", "extra");
  norm->add_input("conv_b");
  norm->add_input("conv_b");
  add_node("OperatorOfTheFuture", "extra", "more");
  EXPECT_EQ(error(), "");
  EXPECT_THAT(notes(), testing::Contains(
                           AllOf(HasSubstr("opset 999 of ai.onnx is newer than this checker ("),
                                 HasSubstr("not judged"))));
  add_node("Relu", "absent", "last");
  EXPECT_THAT(error(), HasSubstr("nothing makes its input 'absent'"));
}

TEST_F(CheckModel, LeavesCustomOperatorsUnjudged) {
  import("com.example", 1);
  add_node("Anything", "conv", "extra", "com.example")->add_attribute()->set_name("x");
  graph_->mutable_node(8)->mutable_attribute(0)->set_type(onnx::AttributeProto::INT);
  graph_->mutable_node(8)->mutable_attribute(0)->set_i(1);
  add_node("Relu", "extra", "behind");
  EXPECT_EQ(error(), "");
  EXPECT_THAT(notes(), testing::Contains(HasSubstr("custom operators")));
  add_node("Rleu", "conv", "wrong");
  EXPECT_THAT(error(), HasSubstr("has no operator 'Rleu'"));
}

TEST_F(CheckModel, KnowsTheModelsOwnFunctions) {
  import("own", 1);
  auto* function = proto_.add_functions();
  function->set_name("Twice");
  function->set_domain("own");
  function->add_input("a");
  function->add_output("b");
  function->add_opset_import()->set_version(17);
  auto* add = function->add_node();
  add->set_op_type("Add");
  add->add_input("a");
  add->add_input("a");
  add->add_output("b");
  add_node("Twice", "conv", "extra", "own");
  EXPECT_EQ(error(), "");
  add->set_input(1, "c");
  EXPECT_THAT(error(), HasSubstr("nothing makes its input 'c'"));
  add->set_input(1, "a");
  function->set_output(0, "d");
  EXPECT_THAT(error(), HasSubstr("function 'Twice': nothing makes its output 'd'"));
}

}  // namespace
}  // namespace onnxop
