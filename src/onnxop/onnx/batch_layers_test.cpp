// Layers and matrix products: which keep samples apart.

#include "onnxop/onnx/test_batch_check.h"

namespace onnxop::testing_batch {
namespace {

constexpr std::int64_t kN = kRows;

std::string conv(Builder& b, const std::string& x, const Attributes& attributes = {}) {
  return b.node("Conv", {x, b.weights({4, 2, 3, 3}), b.weights({4})}, attributes);
}

std::string norm_inputs(Builder& b, const std::string& op, const std::string& x,
                        const Attributes& attributes = {}) {
  return b.node(op, {x, b.positive({2}), b.weights({2}), b.weights({2}), b.positive({2})},
                attributes);
}

// NOLINTNEXTLINE(readability-function-size): a table
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

// NOLINTNEXTLINE(readability-function-size): a table
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

INSTANTIATE_TEST_SUITE_P(Layers, BatchOfLayers, ::testing::ValuesIn(layer_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Matrices, BatchOfLayers, ::testing::ValuesIn(matrix_cases()), name_of);

}  // namespace
}  // namespace onnxop::testing_batch
