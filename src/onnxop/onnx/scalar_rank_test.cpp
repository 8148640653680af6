// Constants that get the rank of the tensors they meet.

#include <algorithm>

#include <onnx/onnx_pb.h>

#include "onnxop/onnx/test_batch_check.h"

namespace onnxop::testing_batch {
namespace {

using testing_models::TemporaryFolder;

constexpr Shape::value_type kAny = -1;

class ScalarRank : public ::testing::Test {
 protected:
  onnx::ModelProto proto(Model model) {
    const Bytes bytes = serialize_model(model);
    onnx::ModelProto proto;
    EXPECT_TRUE(proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    return proto;
  }

  /// The shapes of the copy's constants by the nodes that read them, in the nodes' order; none
  /// where there is no copy. It answers as the file does.
  std::vector<Shape> shapes(const onnx::ModelProto& model) {
    const auto path = folder_.write("m.onnx", as_bytes(model.SerializeAsString()));
    const ServingCopy copy = serving_copy(path);
    EXPECT_EQ(copy.content.empty(), copy.widened == 0);
    if (copy.content.empty()) {
      return {};
    }
    const auto copied = folder_.write("copy.onnx", copy.content);
    check_model(copied);
    const auto scorer = load_ort_scorer(path);
    const auto inputs = random_inputs(*scorer, 3);
    const auto expected = scorer->run(inputs);
    const auto answers = load_ort_scorer(copied)->run(inputs);
    EXPECT_EQ(answers[0].tensor.shape(), expected[0].tensor.shape());
    EXPECT_TRUE(std::ranges::equal(answers[0].tensor.bytes(), expected[0].tensor.bytes()));
    EXPECT_EQ(serving_copy(copied).widened, 0U);
    EXPECT_TRUE(copy_.ParseFromArray(copy.content.data(), static_cast<int>(copy.content.size())));
    std::vector<Shape> found;
    for (const auto& node : copy_.graph().node()) {
      for (const auto& tensor : copy_.graph().initializer()) {
        if (std::count(node.input().begin(), node.input().end(), tensor.name()) > 0) {
          found.emplace_back(tensor.dims().begin(), tensor.dims().end());
        }
      }
    }
    return found;
  }
  std::vector<Shape> shapes(Model model) { return shapes(proto(std::move(model))); }

  TemporaryFolder folder_;
  onnx::ModelProto copy_;
};

TEST_F(ScalarRank, IsThatOfImagesWithOneChannel) {
  Builder b;
  auto x = b.node("Cast", {b.input({kRows, 4, 5, 1}, DType::kUint8)}, {{"to", std::int64_t{1}}});
  x = b.node("Mul", {x, b.number(0.3F)});
  x = b.node("Sub", {b.floats({0.25F}), x});
  x = b.node("Div", {x, b.weights({1, 1, 1})});
  b.output(b.node("Add", {x, b.number(3)}), 4);
  EXPECT_EQ(shapes(b.take()),
            (std::vector<Shape>{{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1}, {1, 1, 1, 1}}))
      << "one of three dimensions meets 5 columns, and is fast as it is";
}

TEST_F(ScalarRank, IsThatOfOneColumnOfAnyNumber) {
  Builder b;
  const auto x = b.node("Add", {b.input({kRows, kAny, 1}, DType::kInt64), b.integer(2)});
  b.output(b.node("Div", {x, b.ints({3})}), 3, DType::kInt64);
  EXPECT_EQ(shapes(b.take()), (std::vector<Shape>{{1, 1, 1}, {1, 1, 1}}));
}

TEST_F(ScalarRank, StaysWhereNothingIsSlow) {
  Builder b;
  auto x = b.node("Mul", {b.input({kRows, 4, 5, 3}), b.number(0.5F)});
  x = b.node("Add", {x, b.floats({1, 2, 3})});
  x = b.node("Transpose", {x}, {{"perm", Ints{0, 3, 1, 2}}});
  b.output(b.node("Div", {x, b.number(2)}), 4);
  EXPECT_TRUE(shapes(b.take()).empty());
}

/// The engine multiplies for exponents 2 and 3 where it takes the constant as one number.
TEST_F(ScalarRank, OfOperatorsThatWouldRoundOtherwiseStays) {
  Builder b;
  const auto x = b.node("Pow", {b.input({kRows, 4, 1}), b.number(3)});
  b.output(b.node("Max", {x, b.number(0)}), 3);
  EXPECT_TRUE(shapes(b.take()).empty());
}

/// As in a normalization of layers, which the engine knows as it is.
TEST_F(ScalarRank, BehindOtherOperatorsStays) {
  Builder b;
  const auto x = b.node("Sqrt", {b.input({kRows, 4, 1})});
  b.output(b.node("Add", {x, b.number(1e-5F)}), 3);
  EXPECT_TRUE(shapes(b.take()).empty());
}

TEST_F(ScalarRank, OfAConstantThatManyReadIsOne) {
  Builder b;
  const auto number = b.number(1.5F);
  auto x = b.input({kRows, 4, 1});
  for (int i = 0; i < 50; ++i) {
    x = b.node("Mul", {x, number});
  }
  b.output(x, 3);
  EXPECT_EQ(shapes(b.take()), std::vector<Shape>(50, Shape{1, 1, 1}));
  EXPECT_EQ(copy_.graph().initializer_size(), 1);
}

TEST_F(ScalarRank, OfALargeModelStays) {
  Builder b;
  const auto x = b.node("Mul", {b.input({kRows, 4, 1}), b.number(0.5F)});
  b.output(b.node("Mul", {b.node("Flatten", {x}), b.weights({1 << 22, 4})}), 2);
  onnx::ModelProto model = proto(b.take());
  const auto path = folder_.write("large.onnx", as_bytes(model.SerializeAsString()));
  EXPECT_TRUE(serving_copy(path).content.empty());
}

TEST_F(ScalarRank, OfAConstantThatOthersReadTooIsThatOfACopy) {
  Builder b;
  const auto two = b.number(2);
  const auto x = b.node("Mul", {b.input({kRows, 4, 1}), two});
  b.output(b.node("Mul", {b.node("Flatten", {x}), two}), 2);
  EXPECT_EQ(shapes(b.take()), (std::vector<Shape>{{1, 1, 1}, {}}));
}

TEST_F(ScalarRank, TheNewNameIsNoneThatThereIs) {
  Builder b;
  const auto two = b.number(2);
  b.output(b.node("Mul", {b.input({kRows, 4, 1}), two}), 3);
  onnx::ModelProto model = proto(b.take());
  const std::string taken = two + "_of_rank_3";
  auto& graph = *model.mutable_graph();
  graph.mutable_node(0)->set_output(0, taken);
  graph.mutable_output(0)->set_name(taken);
  EXPECT_EQ(shapes(model), (std::vector<Shape>{{1, 1, 1}}));
}

TEST_F(ScalarRank, OfConstantNodesToo) {
  Builder b;
  const auto number = b.number(3);
  b.output(b.node("Mul", {b.input({kRows, 4, 1}), number}), 3);
  onnx::ModelProto model = proto(b.take());
  auto& graph = *model.mutable_graph();
  auto& constant = *graph.add_node();
  constant.set_op_type("Constant");
  constant.add_output(number);
  auto& attribute = *constant.add_attribute();
  attribute.set_name("value");
  attribute.set_type(onnx::AttributeProto::TENSOR);
  *attribute.mutable_t() = graph.initializer(0);
  graph.clear_initializer();
  graph.mutable_node()->SwapElements(0, 1);
  EXPECT_EQ(shapes(model), (std::vector<Shape>{{1, 1, 1}}));
  EXPECT_EQ(copy_.graph().node_size(), 1) << "the old one is gone";
}

TEST_F(ScalarRank, OfComputedConstantsStays) {
  Builder b;
  const auto computed = b.node("Neg", {b.number(3)});
  b.output(b.node("Mul", {b.input({kRows, 4, 1}), computed}), 3);
  EXPECT_TRUE(shapes(b.take()).empty());
}

TEST_F(ScalarRank, OfAnOldFilesConstantIsAnInputToo) {
  Builder b;
  const auto number = b.number(3);
  b.output(b.node("Mul", {b.input({kRows, 4, 1}), number}), 3);
  onnx::ModelProto model = proto(b.take());
  model.set_ir_version(3);
  auto& input = *model.mutable_graph()->add_input();
  input.set_name(number);
  input.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  input.mutable_type()->mutable_tensor_type()->mutable_shape();
  EXPECT_EQ(shapes(model), (std::vector<Shape>{{1, 1, 1}}));
  EXPECT_EQ(copy_.graph().input_size(), 2);
  EXPECT_EQ(copy_.graph().initializer_size(), 1) << "the old one is gone";
}

/// What comes before it is faster all the same.
TEST_F(ScalarRank, BeforeAnOperatorThatMixesRows) {
  Builder b;
  const auto x = b.node("Mul", {b.input({kRows, 4, 1}), b.number(2)});
  b.output(b.node("Softmax", {x}, {{"axis", std::int64_t{0}}}), 3);
  EXPECT_EQ(shapes(b.take()), (std::vector<Shape>{{1, 1, 1}}));
}

}  // namespace
}  // namespace onnxop::testing_batch
