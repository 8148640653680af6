// What is computed value by value: which of it keeps samples apart.

#include "onnxop/onnx/test_batch_check.h"

namespace onnxop::testing_batch {
namespace {

constexpr std::int64_t kN = kRows;

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Case> elementwise_cases() {
  return {
      {"Unary",
       [](Builder& b) {
         std::string x = b.input({kN, 4});
         for (const char* op : {"Relu", "Sigmoid", "Tanh", "Abs", "Neg", "Exp", "Erf", "Softplus",
                                "Identity", "LeakyRelu", "HardSigmoid", "Floor"}) {
           x = b.node(op, {x});
         }
         b.output(x, 2);
       },
       ""},
      {"ConstantsOfSmallerRank",
       [](Builder& b) {
         const auto x = b.node("Add", {b.input({kN, 2, 3}), b.weights({2, 3})});
         b.output(b.node("Mul", {x, b.number(2)}), 3);
       },
       ""},
      {"ConstantOfOneRow",
       [](Builder& b) {
         b.output(b.node("Sub", {b.input({kN, 3}), b.weights({1, 3})}), 2);
       },
       ""},
      {"ConstantOfSeveralRows",
       [](Builder& b) {
         b.output(b.node("Add", {b.input({kN, 3}), b.weights({4, 3})}), 2);
       },
       "node 'the_Add_2' (Add): broadcasting aligns the batch dimension with a constant's "
       "dimension of size 4"},
      {"ConstantOfHigherRankThatShiftsTheBatch",
       [](Builder& b) {
         b.output(b.node("Add", {b.input({kN, 3}), b.weights({2, 1, 3})}), 3);
       },
       "has the batch as dimension 1"},
      {"TwoInputs",
       [](Builder& b) {
         b.output(b.node("Mul", {b.input({kN, 3}), b.input({kN, 1})}), 2);
       },
       ""},
      {"TwoInputsOfDifferentRank",
       [](Builder& b) {
         b.output(b.node("Add", {b.input({kN, 3}), b.input({kN, 2, 3})}), 3);
       },
       "broadcasting aligns the batch dimension of one input with another"},
      {"VectorsMeetTheLastDimension",
       [](Builder& b) {
         b.output(b.node("Add", {b.input({kN, 3}), b.input({kN})}), 2);
       },
       "broadcasting aligns the batch dimension of one input with another"},
      {"SeveralTerms",
       [](Builder& b) {
         b.output(b.node("Max", {b.input({kN, 3}), b.input({kN, 3}), b.weights({3})}), 2);
       },
       ""},
      {"Where",
       [](Builder& b) {
         b.output(b.node("Where", {b.input({kN, 3}, DType::kBool), b.input({kN, 3}), b.number(0)}),
                  2);
       },
       ""},
      {"PRelu",
       [](Builder& b) {
         b.output(b.node("PRelu", {b.input({kN, 2, 3}), b.weights({2, 1})}), 3);
       },
       ""},
      {"Clip",
       [](Builder& b) {
         b.output(b.node("Clip", {b.input({kN, 3}), b.number(-1), b.number(1)}), 2);
       },
       ""},
      {"ClipByTheInput",
       [](Builder& b) {
         b.output(b.node("Clip", {b.input({kN, 3}), b.input({kN})}), 2);
       },
       "its limits are no constants of one element"},
      {"Dropout",
       [](Builder& b) {
         b.output(b.node("Dropout", {b.input({kN, 3}), b.number(0.5F)}), 2);
       },
       ""},
      {"DropoutInTraining",
       [](Builder& b) {
         Tensor yes(DType::kBool, {});
         yes.values<bool>()[0] = true;
         const auto x = b.input({kN, 3});
         b.output(b.node("Dropout", {x, b.number(0.5F), b.constant(std::move(yes))}), 2);
       },
       "it may be in training mode"},
      {"Cast",
       [](Builder& b) {
         b.output(b.node("Cast", {b.input({kN, 3}, DType::kInt64)}, {{"to", std::int64_t{1}}}), 2);
       },
       ""},
      {"CastOfAnotherAttributeType",
       [](Builder& b) {
         b.output(b.node("Cast", {b.input({kN, 3})}, {{"to", 1.0F}}), 2);
       },
       "its attribute 'to' has another type"},
      {"QuantizeAndBack",
       [](Builder& b) {
         const auto scale = b.number(0.25F);
         const auto zero = b.constant(Tensor(DType::kUint8, {}));
         const auto q = b.node("QuantizeLinear", {b.input({kN, 3}), scale, zero});
         b.output(b.node("DequantizeLinear", {q, scale, zero}), 2);
       },
       ""},
      {"QuantizeEachChannel",
       [](Builder& b) {
         const auto scale = b.positive({3});
         const auto zero = b.constant(Tensor(DType::kUint8, {3}));
         const Attributes axis{{"axis", std::int64_t{1}}};
         const auto q = b.node("QuantizeLinear", {b.input({kN, 3}), scale, zero}, axis);
         b.output(b.node("DequantizeLinear", {q, scale, zero}, axis), 2);
       },
       ""},
      {"QuantizeEachRow",
       [](Builder& b) {
         const Attributes axis{{"axis", std::int64_t{0}}};
         b.output(
             b.node("QuantizeLinear",
                    {b.input({kN, 3}), b.positive({3}), b.constant(Tensor(DType::kUint8, {3}))},
                    axis),
             2, DType::kUint8);
       },
       "it scales along the batch dimension"},
      {"QuantizeByTheBatchsRange",
       [](Builder& b) {
         b.output(b.nodes("DynamicQuantizeLinear", 3, {b.input({kN, 3})}).front(), 2,
                  DType::kUint8);
       },
       "what this operator does with the batch dimension is not known"},
      {"RandomNoise",
       [](Builder& b) {
         const auto noise = b.node("RandomNormal", {}, {{"shape", Ints{1, 3}}});
         b.output(b.node("Add", {b.input({kN, 3}), noise}), 2);
       },
       "(RandomNormal): what this operator does"},
  };
}

class BatchOfValues : public ::testing::TestWithParam<Case> {};

TEST_P(BatchOfValues, IsKeptApartOrRefused) {
  check(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Elementwise, BatchOfValues, ::testing::ValuesIn(elementwise_cases()),
                         name_of);

}  // namespace
}  // namespace onnxop::testing_batch
