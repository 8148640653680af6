// Shapes that are computed with, and what is picked by them: which leave the batch one.

#include "onnxop/onnx/test_batch_check.h"

namespace onnxop::testing_batch {
namespace {

constexpr std::int64_t kN = kRows;

/// x[:, i] for a shape's number i.
std::string size_of(Builder& b, const std::string& x, std::int64_t dimension) {
  return b.node("Gather", {b.node("Shape", {x}), b.integer(dimension)}, with("axis", 0));
}

std::string vector_of(Builder& b, const std::string& scalar) {
  return b.node("Unsqueeze", {scalar, b.ints({0})});
}

std::vector<Case> reshape_cases() {
  return {
      {"ReshapeCopiesTheBatch",
       [](Builder& b) {
         b.output(b.node("Reshape", {b.input({kN, 2, -1}), b.ints({0, -1})}), 2);
       },
       ""},
      {"ReshapeLeavesTheBatchOver",
       [](Builder& b) {
         b.output(b.node("Reshape", {b.input({kN, 2, 3}), b.ints({-1, 6})}), 2);
       },
       ""},
      {"ReshapeMixesTheBatch",
       [](Builder& b) {
         b.output(b.node("Reshape", {b.input({kN, 2, 3}), b.ints({-1, 3})}), 2);
       },
       "(Reshape): it mixes the batch dimension"},
      {"ReshapeOfUnknownSizes",
       [](Builder& b) {
         b.output(b.node("Reshape", {b.input({kN, 2, -1}), b.ints({-1, 6})}), 2);
       },
       "it mixes the batch dimension"},
      {"ReshapeToAConstantNumberOfRows",
       [](Builder& b) {
         b.output(b.node("Reshape", {b.input({kN, 6}), b.ints({3, -1})}), 2);
       },
       "it mixes the batch dimension"},
      {"ReshapeWithALeadingOne",
       [](Builder& b) {
         const auto x = b.node("Reshape", {b.input({kN, 6}), b.ints({1, -1, 6})});
         b.output(b.node("Squeeze", {x, b.ints({0})}), 2);
       },
       ""},
      {"ReshapeBehindTheBatch",
       [](Builder& b) {
         auto x = b.node("Transpose", {b.input({kN, 2, 6})}, {{"perm", Ints{1, 0, 2}}});
         x = b.node("Reshape", {x, b.ints({0, 0, 3, 2})});
         x = b.node("Reshape", {x, b.ints({2, -1, 3, 2})});
         b.output(b.node("Transpose", {x}, {{"perm", Ints{1, 0, 2, 3}}}), 4);
       },
       ""},
      {"ReshapeByTheInputsShape",
       [](Builder& b) {
         const auto x = b.input({kN, -1, 6});
         const auto target = b.node(
             "Concat",
             {vector_of(b, size_of(b, x, 0)), vector_of(b, size_of(b, x, 1)), b.ints({2, 3})},
             with("axis", 0));
         b.output(b.node("Reshape", {x, target}), 4);
       },
       ""},
      {"ReshapeToTheBatchTimesSomething",
       [](Builder& b) {
         const auto x = b.input({kN, 2, 3});
         const auto rows = b.node("Mul", {size_of(b, x, 0), b.integer(2)});
         const auto target = b.node("Concat", {vector_of(b, rows), b.ints({-1})}, with("axis", 0));
         b.output(b.node("Reshape", {x, target}), 2);
       },
       "it mixes the batch dimension"},
      {"ReshapeToTheBatchInAnotherPlace",
       [](Builder& b) {
         const auto x = b.input({kN, 3});
         const auto target =
             b.node("Concat", {b.ints({-1}), vector_of(b, size_of(b, x, 0))}, with("axis", 0));
         b.output(b.node("Reshape", {x, target}), 2);
       },
       "it mixes the batch dimension"},
      {"ReshapeByAnInput",
       [](Builder& b) {
         b.output(b.node("Reshape", {b.input({kN, 3}), b.input({kN}, DType::kInt64)}), 2);
       },
       "its target's numbers are not known"},
      {"ReshapeOfAConstantToTheBatch",
       [](Builder& b) {
         const auto rows = vector_of(b, size_of(b, b.input({kN, 3}), 0));
         const auto target = b.node("Concat", {rows, b.ints({-1})}, with("axis", 0));
         b.output(b.node("Reshape", {b.weights({6}), target}), 2);
       },
       "it gives a constant the number of rows"},
  };
}

std::vector<Case> counting_cases() {
  return {
      {"ClassTokenForEachRow",
       [](Builder& b) {  // as a vision transformer's export has it
         const auto x = b.input({kN, 3, 4});
         const auto wish =
             b.node("Concat", {vector_of(b, size_of(b, x, 0)), b.ints({-1, -1})}, with("axis", 0));
         const auto one = b.node("Add", {b.ints({0, 0, 0}), b.integer(1)});
         const auto same = b.node("Equal", {wish, b.ints({-1, -1, -1})});
         const auto target = b.node("Where", {same, one, wish});
         const auto token = b.node("Expand", {b.weights({1, 1, 4}), target});
         b.output(b.node("Concat", {token, x}, with("axis", 1)), 3);
       },
       ""},
      {"ZerosForEachRow",
       [](Builder& b) {
         const auto x = b.input({kN, 3});
         const auto target =
             b.node("Concat", {vector_of(b, size_of(b, x, 0)), b.ints({2})}, with("axis", 0));
         b.output(b.node("Concat", {b.node("ConstantOfShape", {target}), x}, with("axis", 1)), 2);
       },
       ""},
      {"PlacesOfASequence",
       [](Builder& b) {
         const auto x = b.input({kN, -1});
         const auto places = b.node("Range", {b.integer(0), size_of(b, x, 1), b.integer(1)});
         const auto cast = b.node("Cast", {places}, with("to", 1));
         b.output(b.node("Add", {x, cast}), 2);
       },
       ""},
      {"PlacesInTheBatch",
       [](Builder& b) {
         const auto x = b.input({kN});
         const auto places = b.node("Range", {b.integer(0), size_of(b, x, 0), b.integer(1)});
         b.output(b.node("Add", {x, b.node("Cast", {places}, with("to", 1))}), 1);
       },
       "it computes with the number of rows"},
      {"MeanOverTheBatchBySize",
       [](Builder& b) {
         const auto x = b.input({kN, 2});
         const auto rows = b.node("Cast", {size_of(b, x, 0)}, with("to", 1));
         b.output(b.node("Div", {x, rows}), 2);
       },
       "it turns the number of rows into another type"},
      {"TheNumberOfRowsAsData",
       [](Builder& b) {
         const auto x = b.input({kN, 2}, DType::kInt64);
         b.output(b.node("Add", {x, size_of(b, x, 0)}), 2, DType::kInt64);
       },
       "it computes with the number of rows"},
      {"TheNumberOfRowsAsOutput",
       [](Builder& b) { b.output(b.node("Shape", {b.input({kN})}), 1, DType::kInt64); },
       "does not have the batch as a dimension"},
      {"AConstantAsOutput",
       [](Builder& b) {
         b.input({kN, 2});
         b.output(b.node("Identity", {b.weights({3, 2})}), 2);
       },
       "does not have the batch as a dimension"},
      {"Size",
       [](Builder& b) {
         const auto x = b.input({kN, 2});
         b.output(b.node("Div", {x, b.node("Cast", {b.node("Size", {x})}, with("to", 1))}), 2);
       },
       "(Size): what this operator does"},
  };
}

std::vector<Case> pick_cases() {
  const auto ids = [](Builder& b, const Shape& shape) { return b.input(shape, DType::kInt64); };
  return {
      {"GatherEmbeddings",
       [ids](Builder& b) {
         b.output(b.node("Gather", {b.weights({5, 4}), ids(b, {kN, -1})}), 3);
       },
       ""},
      {"GatherColumns",
       [](Builder& b) {
         b.output(b.node("Gather", {b.input({kN, 4}), b.ints({2, 0})}, with("axis", 1)), 2);
       },
       ""},
      {"GatherBeforeTheBatch",
       [](Builder& b) {
         const auto x = b.node("Transpose", {b.input({kN, 4})});
         b.output(b.node("Gather", {x, b.integer(1)}), 1);
       },
       ""},
      {"GatherRows",
       [](Builder& b) {
         b.output(b.node("Gather", {b.input({kN, 4}), b.ints({0, 0})}), 2);
       },
       "it picks along the batch dimension"},
      {"GatherByRowsOfRows",
       [ids](Builder& b) {
         b.output(b.node("Gather", {b.input({kN, 4}), ids(b, {kN})}, with("axis", 1)), 2);
       },
       "it picks from rows by indices from rows"},
      {"GatherElements",
       [ids](Builder& b) {
         b.output(b.node("GatherElements", {b.input({kN, 4}), ids(b, {kN, 2})}, with("axis", 1)),
                  2);
       },
       ""},
      {"GatherElementsOfTheBatch",
       [ids](Builder& b) {
         b.output(b.node("GatherElements", {b.input({kN, 4}), ids(b, {kN, 4})}), 2);
       },
       "it works along the batch dimension"},
      {"ScatterElements",
       [ids](Builder& b) {
         b.output(b.node("ScatterElements", {b.input({kN, 4}), ids(b, {kN, 1}), b.input({kN, 1})},
                         with("axis", 1)),
                  2);
       },
       ""},
      {"ScatterND",
       [ids](Builder& b) {
         b.output(b.node("ScatterND", {b.input({kN, 4}), ids(b, {kN, 1}), b.input({kN, 4})}), 2);
       },
       "(ScatterND): what this operator does"},
      {"GatherNDWithinRows",
       [ids](Builder& b) {
         b.output(b.node("GatherND", {b.input({kN, 3, 4}), ids(b, {kN, 1})}, with("batch_dims", 1)),
                  2);
       },
       ""},
      {"GatherNDFromWeights",
       [ids](Builder& b) {
         b.output(b.node("GatherND", {b.weights({3, 4, 2}), ids(b, {kN, 2})}), 2);
       },
       ""},
      {"GatherNDOfRows",
       [ids](Builder& b) {
         b.output(b.node("GatherND", {b.input({kN, 3}), ids(b, {kN, 1})}), 2);
       },
       "it picks from rows by indices of others"},
      {"OneHot",
       [ids](Builder& b) {
         b.output(b.node("OneHot", {ids(b, {kN}), b.integer(4), b.floats({0, 1})}), 2);
       },
       ""},
      {"OneHotBeforeTheBatch",
       [ids](Builder& b) {
         b.output(b.node("OneHot", {ids(b, {kN}), b.integer(4), b.floats({0, 1})}, with("axis", 0)),
                  2);
       },
       "has the batch as dimension 1"},
      {"NonZero",
       [](Builder& b) {
         b.output(b.node("Transpose", {b.node("NonZero", {b.input({kN})})}), 2, DType::kInt64);
       },
       "(NonZero): what this operator does"},
  };
}

std::vector<Case> input_cases() {
  return {
      {"OldOpset",
       [](Builder& b) {
         b.opset(6);
         b.output(b.node("Relu", {b.input({kN, 2})}), 2);
       },
       "opset 6"},
      {"OpsetOfTheFuture",
       [](Builder& b) {
         b.opset(99);
         b.output(b.node("Relu", {b.input({kN, 2})}), 2);
       },
       "opset 99"},
      {"OneInputOfFixedRows",
       [](Builder& b) {
         b.output(b.node("Add", {b.input({kN, 3}), b.input({1, 3})}), 2);
       },
       "have different sizes of dimension 0: N and 1"},
      {"InputsOfDifferentRows",
       [](Builder& b) {
         b.output(b.node("Add", {b.input({kN, 3}), b.input({-1, 3})}), 2);
       },
       "have different sizes of dimension 0"},
      {"ScalarInput",
       [](Builder& b) {
         b.output(b.node("Add", {b.input({kN, 3}), b.input({})}), 2);
       },
       "has no dimension 0"},
      {"SquareInput",
       [](Builder& b) {
         b.output(b.node("Relu", {b.input({kN, kN})}), 2);
       },
       "has 'N' as its dimensions 0 and 1"},
      {"NothingMakesIt",
       [](Builder& b) {
         b.input({kN});
         b.output(b.node("Relu", {"elsewhere"}), 1);
       },
       "nothing makes its input 'elsewhere'"},
      {"DeadEndThatMixes",  // it might fail for another number of rows, so it counts
       [](Builder& b) {
         const auto x = b.input({kN, 3});
         b.node("Softmax", {x}, with("axis", 0));
         b.output(b.node("Relu", {x}), 2);
       },
       "it works over the batch dimension"},
      {"OperatorThatIsNone",
       [](Builder& b) {
         b.output(b.node("Frobnicate", {b.input({kN, 2})}), 2);
       },
       "(Frobnicate): what this operator does with the batch dimension is not known"},
  };
}

class BatchOfShapes : public ::testing::TestWithParam<Case> {};

TEST_P(BatchOfShapes, IsKeptApartOrRefused) {
  check(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Reshape, BatchOfShapes, ::testing::ValuesIn(reshape_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Counting, BatchOfShapes, ::testing::ValuesIn(counting_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Pick, BatchOfShapes, ::testing::ValuesIn(pick_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Inputs, BatchOfShapes, ::testing::ValuesIn(input_cases()), name_of);

}  // namespace
}  // namespace onnxop::testing_batch
