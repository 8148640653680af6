// Models that take or give texts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "onnxop/onnx/test_models.h"
#include "onnxop/score/ort_scorer.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using namespace testing_models;

using Texts = std::vector<std::string>;

class OrtTextsTest : public testing::Test {
 protected:
  /// y = op(x), of the types given, with `rank` free dimensions each.
  static onnx::ModelProto one_node(const std::string& op_type, int takes, int gives, int rank) {
    onnx::ModelProto proto;
    proto.set_ir_version(8);
    auto* import = proto.add_opset_import();
    import->set_domain("");
    import->set_version(17);
    import = proto.add_opset_import();
    import->set_domain("ai.onnx.ml");
    import->set_version(2);
    auto& graph = *proto.mutable_graph();
    graph.set_name("texts");
    describe(*graph.add_input(), "x", takes, rank);
    describe(*graph.add_output(), "y", gives, rank);
    auto& node = *graph.add_node();
    node.set_op_type(op_type);
    node.add_input("x");
    node.add_output("y");
    return proto;
  }

  static void describe(onnx::ValueInfoProto& value, const std::string& name, int type, int rank) {
    value.set_name(name);
    auto& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    for (int i = 0; i < rank; ++i) {
      tensor.mutable_shape()->add_dim()->set_dim_param(name + std::to_string(i));
    }
  }

  static void add_texts(onnx::ModelProto& proto, const std::string& name, const Texts& texts) {
    auto* attribute = proto.mutable_graph()->mutable_node(0)->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::STRINGS);
    for (const std::string& text : texts) {
      attribute->add_strings(text);
    }
  }

  static void add_text(onnx::ModelProto& proto, const std::string& name, const std::string& text) {
    auto* attribute = proto.mutable_graph()->mutable_node(0)->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::STRING);
    attribute->set_s(text);
  }

  std::unique_ptr<Scorer> load(const onnx::ModelProto& proto) const {
    const std::string bytes = proto.SerializeAsString();
    return load_ort_scorer(folder_.write("texts.onnx", std::as_bytes(std::span(bytes))));
  }

  static Tensor run(Scorer& scorer, Tensor x) {
    std::vector<NamedTensor> inputs;
    inputs.push_back({"x", std::move(x)});
    return std::move(scorer.run(inputs).at(0).tensor);
  }

  TemporaryFolder folder_;
};

constexpr int kText = onnx::TensorProto::STRING;
constexpr int kNumber = onnx::TensorProto::INT64;

TEST_F(OrtTextsTest, TheyOutliveTheScorerAndMayBeNone) {
  auto scorer = load(one_node("Identity", kText, kText, 2));
  const Tensor none = run(*scorer, Tensor::of_strings({0, 2}, {}));
  EXPECT_TRUE(none.strings().empty());
  EXPECT_THAT(none.shape(), ElementsAre(0, 2));
  const std::string large(1 << 20, 'z');
  const Tensor output = run(*scorer, Tensor::of_strings({1, 2}, {large, "b"}));
  scorer.reset();
  EXPECT_EQ(output.strings()[0], large);
}

TEST_F(OrtTextsTest, TheModelMayGiveFewerThanItTakes) {
  auto proto = one_node("StringNormalizer", kText, kText, 1);
  add_texts(proto, "stopwords", {"the"});
  add_text(proto, "case_change_action", "UPPER");
  add_text(proto, "locale", "C");  // the default en_US is not on every machine
  const auto scorer = load(proto);
  const Tensor output = run(*scorer, Tensor::of_strings({3}, {"the", "quick", "fox"}));
  EXPECT_THAT(output.shape(), ElementsAre(2));
  EXPECT_THAT(output.strings(), ElementsAre("QUICK", "FOX"));
}

TEST_F(OrtTextsTest, FromTextsToNumbersAndBack) {
  const auto encoder = [this](bool to_texts) {
    auto proto =
        one_node("LabelEncoder", to_texts ? kNumber : kText, to_texts ? kText : kNumber, 2);
    auto& node = *proto.mutable_graph()->mutable_node(0);
    node.set_domain("ai.onnx.ml");
    add_texts(proto, to_texts ? "values_strings" : "keys_strings", {"cat", "dog"});
    auto* numbers = node.add_attribute();
    numbers->set_name(to_texts ? "keys_int64s" : "values_int64s");
    numbers->set_type(onnx::AttributeProto::INTS);
    numbers->add_ints(7);
    numbers->add_ints(9);
    return load(proto);
  };
  const auto to_numbers = encoder(false);
  EXPECT_EQ(to_numbers->inputs()[0].dtype, DType::kString);
  Tensor numbers = run(*to_numbers, Tensor::of_strings({1, 2}, {"dog", "cat"}));
  EXPECT_THAT(numbers.values<std::int64_t>(), ElementsAre(9, 7));
  const auto to_texts = encoder(true);
  EXPECT_EQ(to_texts->outputs()[0].dtype, DType::kString);
  EXPECT_THAT(run(*to_texts, std::move(numbers)).strings(), ElementsAre("dog", "cat"));
}

}  // namespace
}  // namespace onnxop
