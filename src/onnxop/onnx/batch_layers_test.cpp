// Layers and matrix products: which keep samples apart.

#include "onnxop/onnx/test_batch_check.h"

namespace onnxop::testing_batch {
namespace {

constexpr std::int64_t kN = kRows;

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

std::string conv(Builder& b, const std::string& x, const Attributes& attributes = {}) {
  return b.node("Conv", {x, b.weights({4, 2, 3, 3}), b.weights({4})}, attributes);
}

std::string norm_inputs(Builder& b, const std::string& op, const std::string& x,
                        const Attributes& attributes = {}) {
  return b.node(op, {x, b.positive({2}), b.weights({2}), b.weights({2}), b.positive({2})},
                attributes);
}

std::vector<Case> layer_cases() {
  return {
      {"ConvAndPools",
       [](Builder& b) {
         auto x = conv(b, b.input({kN, 2, 9, 9}), {{"pads", Ints{1, 1, 1, 1}}});
         x = b.node("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
         x = b.node("AveragePool", {x}, {{"kernel_shape", Ints{2, 2}}});
         b.output(b.node("GlobalAveragePool", {x}), 4);
       },
       ""},
      {"SizesOfConvAndPoolAreKnown",
       [](Builder& b) {  // -1 is the batch only where 4 * 3 * 2 is what is left of a sample
         auto x =
             conv(b, b.input({kN, 2, 11, 9}),
                  {{"strides", Ints{2, 3}}, {"dilations", Ints{2, 1}}, {"pads", Ints{1, 0, 0, 1}}});
         x = b.node("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}});
         b.output(b.node("Reshape", {x, b.ints({-1, 24})}), 2);
       },
       ""},
      {"SamePadding",
       [](Builder& b) {
         auto x = conv(b, b.input({kN, 2, 5, 5}),
                       {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}});
         b.output(b.node("Reshape", {x, b.ints({-1, 36})}), 2);
       },
       ""},
      {"ConvOfTheChannels",
       [](Builder& b) {
         const auto x = b.node("Transpose", {b.input({kN, 2, 5, 5})}, {{"perm", Ints{1, 0, 2, 3}}});
         b.output(b.node("Conv", {x, b.weights({4, 2, 3, 3})}), 4);
       },
       "its input's batch is dimension 1"},
      {"ConvWithComputedWeights",
       [](Builder& b) {
         b.output(b.node("Conv", {b.input({kN, 2, 5, 5}), b.input({kN, 2, 3, 3})}), 4);
       },
       "expected a batch as the first input and constants as the others"},
      {"ConvTranspose",
       [](Builder& b) {
         b.output(b.node("ConvTranspose", {b.input({kN, 2, 5, 5}), b.weights({2, 3, 3, 3})}), 4);
       },
       ""},
      {"MaxPoolIndices",
       [](Builder& b) {
         b.output(
             b.nodes("MaxPool", 2, {b.input({kN, 2, 4, 4})}, {{"kernel_shape", Ints{2, 2}}})[1], 4,
             DType::kInt64);
       },
       "its indices depend on the place in the batch"},
      {"BatchNormalization",
       [](Builder& b) {
         b.output(norm_inputs(b, "BatchNormalization", b.input({kN, 2, 3})), 3);
       },
       ""},
      {"BatchNormalizationInTraining",
       [](Builder& b) {
         b.output(norm_inputs(b, "BatchNormalization", b.input({kN, 2, 3}),
                              {{"training_mode", std::int64_t{1}}}),
                  3);
       },
       "it is in training mode"},
      {"BatchNormalizationWithMeans",
       [](Builder& b) {
         b.output(b.nodes("BatchNormalization", 3,
                          {b.input({kN, 2, 3}), b.positive({2}), b.weights({2}), b.weights({2}),
                           b.positive({2})})[0],
                  3);
       },
       "it is in training mode"},
      {"InstanceNormalization",
       [](Builder& b) {
         b.output(b.node("InstanceNormalization",
                         {b.input({kN, 2, 5}), b.positive({2}), b.weights({2})}),
                  3);
       },
       ""},
      {"LRN",
       [](Builder& b) {
         b.output(b.node("LRN", {b.input({kN, 4, 3, 3})}, {{"size", std::int64_t{3}}}), 4);
       },
       ""},
      {"LayerNormalization",
       [](Builder& b) {
         b.output(
             b.node("LayerNormalization", {b.input({kN, 2, 4}), b.positive({4}), b.weights({4})}),
             3);
       },
       ""},
      {"LayerNormalizationOfAll",
       [](Builder& b) {
         b.output(b.node("LayerNormalization", {b.input({kN, 4}), b.positive({4})},
                         {{"axis", std::int64_t{0}}}),
                  2);
       },
       "it normalizes over the batch dimension"},
      {"MeanVarianceNormalization",
       [](Builder& b) {
         b.output(
             b.node("MeanVarianceNormalization", {b.input({kN, 2, 3, 3})}, {{"axes", Ints{2, 3}}}),
             4);
       },
       ""},
      {"MeanVarianceNormalizationByDefault",
       [](Builder& b) {
         b.output(b.node("MeanVarianceNormalization", {b.input({kN, 2, 3, 3})}), 4);
       },
       "it normalizes over the batch dimension"},
      {"LpNormalization",
       [](Builder& b) {
         b.output(b.node("LpNormalization", {b.input({kN, 4})}), 2);
       },
       ""},
      {"LpNormalizationOfColumns",
       [](Builder& b) {
         b.output(b.node("LpNormalization", {b.input({kN, 4})}, {{"axis", std::int64_t{0}}}), 2);
       },
       "it normalizes over the batch dimension"},
      {"DepthToSpace",
       [](Builder& b) {
         b.output(
             b.node("DepthToSpace", {b.input({kN, 4, 2, 2})}, {{"blocksize", std::int64_t{2}}}), 4);
       },
       ""},
      {"GridSample",
       [](Builder& b) {
         b.output(b.node("GridSample", {b.input({kN, 2, 4, 4}), b.input({kN, 3, 3, 2})}), 4);
       },
       ""},
      {"LSTM",
       [](Builder& b) {
         b.output(
             b.nodes("LSTM", 1, {b.input({kN, 4, 3}), b.weights({1, 8, 3}), b.weights({1, 8, 2})},
                     {{"hidden_size", std::int64_t{2}}})[0],
             4);
       },
       "(LSTM): what this operator does"},
  };
}

Attributes yes(const std::string& name) {
  return {{name, std::int64_t{1}}};
}

std::vector<Case> matrix_cases() {
  return {
      {"MatMulWithWeights",
       [](Builder& b) {
         b.output(b.node("MatMul", {b.input({kN, 4}), b.weights({4, 3})}), 2);
       },
       ""},
      {"MatMulWithAVector",
       [](Builder& b) {
         b.output(b.node("MatMul", {b.input({kN, 4}), b.weights({4})}), 1);
       },
       ""},
      {"MatMulOfSequences",
       [](Builder& b) {
         b.output(b.node("MatMul", {b.input({kN, -1, 4}), b.weights({4, 3})}), 3);
       },
       ""},
      {"MatMulOfStacks",
       [](Builder& b) {
         const auto x = b.input({kN, 2, 3, 4});
         const auto t = b.node("Transpose", {x}, {{"perm", Ints{0, 1, 3, 2}}});
         b.output(b.node("MatMul", {x, t}), 4);
       },
       ""},
      {"MatMulOfWeightsWithStacks",
       [](Builder& b) {
         b.output(b.node("MatMul", {b.weights({5, 2}), b.input({kN, 2, 3})}), 3);
       },
       ""},
      {"MatMulOfAStackOfWeights",
       [](Builder& b) {
         b.output(b.node("MatMul", {b.input({kN, 2, 3, 4}), b.weights({2, 4, 3})}), 4);
       },
       ""},
      {"MatMulOfWeightsWithColumns",
       [](Builder& b) {
         const auto x = b.node("Transpose", {b.input({kN, 4})});
         b.output(b.node("Transpose", {b.node("MatMul", {b.weights({3, 4}), x})}), 2);
       },
       ""},
      {"MatMulOfTheBatchWithItself",
       [](Builder& b) {
         const auto x = b.input({kN, 4});
         b.output(b.node("MatMul", {x, b.node("Transpose", {x})}), 2);
       },
       "it multiplies rows of the batch with each other"},
      {"MatMulOverTheBatch",
       [](Builder& b) {
         const auto x = b.input({kN, 4});
         b.output(b.node("MatMul", {b.node("Transpose", {x}), x}), 2);
       },
       "it sums over the batch dimension"},
      {"MatMulOfARowWithAStack",
       [](Builder& b) {
         b.output(b.node("MatMul", {b.input({kN, 4}), b.input({kN, 4, 3})}), 3);
       },
       "it multiplies rows of the batch with each other"},
      {"MatMulWithAStackOfSeveralRows",
       [](Builder& b) {
         b.output(b.node("MatMul", {b.input({kN, 2, 4}), b.weights({3, 4, 2})}), 3);
       },
       "broadcasting aligns the batch dimension with a constant's dimension of size 3"},
      {"MatMulOfStacksThatAreShifted",
       [](Builder& b) {
         b.output(b.node("MatMul", {b.input({kN, 2, 4}), b.input({kN, 3, 4, 2})}), 4);
       },
       "broadcasting aligns the batch dimension of one input with another"},
      {"Gemm",
       [](Builder& b) {
         b.output(
             b.node("Gemm", {b.input({kN, 4}), b.weights({3, 4}), b.weights({3})}, yes("transB")),
             2);
       },
       ""},
      {"GemmOfColumns",
       [](Builder& b) {
         const auto x = b.node("Transpose", {b.input({kN, 4})});
         b.output(b.node("Gemm", {x, b.weights({4, 3})}, yes("transA")), 2);
       },
       ""},
      {"GemmWithABiasOfSeveralRows",
       [](Builder& b) {
         b.output(b.node("Gemm", {b.input({kN, 4}), b.weights({4, 3}), b.weights({2, 3})}), 2);
       },
       "dimension of size 2"},
      {"GemmOverTheBatch",
       [](Builder& b) {
         b.output(b.node("Gemm", {b.input({kN, 4}), b.weights({3, 4})}, yes("transA")), 2);
       },
       "it sums over the batch dimension"},
      {"GemmOfTheBatchWithItself",
       [](Builder& b) {
         const auto x = b.input({kN, 4});
         b.output(b.node("Gemm", {x, x}, yes("transB")), 2);
       },
       "it multiplies rows of the batch with each other"},
      {"MatMulInteger",
       [](Builder& b) {
         const auto zero = b.constant(Tensor(DType::kUint8, {}));
         const auto x = b.node("QuantizeLinear", {b.input({kN, 4}), b.number(0.1F), zero});
         b.output(b.node("MatMulInteger", {x, b.constant(Tensor(DType::kUint8, {4, 2})), zero}), 2,
                  DType::kInt32);
       },
       ""},
      {"MatMulIntegerWithAZeroPointForEachRow",
       [](Builder& b) {
         const auto zero = b.constant(Tensor(DType::kUint8, {}));
         const auto x = b.node("QuantizeLinear", {b.input({kN, 4}), b.number(0.1F), zero});
         b.output(b.node("MatMulInteger", {x, b.constant(Tensor(DType::kUint8, {4, 2})),
                                           b.constant(Tensor(DType::kUint8, {3}))}),
                  2, DType::kInt32);
       },
       "zero points of one element"},
      {"WeightsThatAreComputed",
       [](Builder& b) {
         const auto weights = b.node("Mul", {b.weights({4, 3}), b.positive({3})});
         const auto turned = b.node("Transpose", {b.node("Transpose", {weights})});
         b.output(b.node("MatMul", {b.input({kN, 4}), turned}), 2);
       },
       ""},
  };
}

class BatchOfLayers : public ::testing::TestWithParam<Case> {};

TEST_P(BatchOfLayers, IsKeptApartOrRefused) {
  check(GetParam());
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Elementwise, BatchOfLayers, ::testing::ValuesIn(elementwise_cases()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Layers, BatchOfLayers, ::testing::ValuesIn(layer_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Matrices, BatchOfLayers, ::testing::ValuesIn(matrix_cases()), name_of);

}  // namespace
}  // namespace onnxop::testing_batch
