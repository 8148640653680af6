// Dimensions that are moved, joined, cut, reduced and computed with: which leave the batch one.

#include "onnxop/onnx/test_batch_check.h"

namespace onnxop::testing_batch {
namespace {

constexpr std::int64_t kN = kRows;

Attributes with(const std::string& name, std::int64_t value) {
  return {{name, value}};
}

std::vector<Case> axis_cases() {
  return {
      {"Softmax",
       [](Builder& b) {
         b.output(b.node("Softmax", {b.input({kN, 4})}), 2);
       },
       ""},
      {"SoftmaxOverTheBatch",
       [](Builder& b) {
         b.output(b.node("Softmax", {b.input({kN, 4})}, with("axis", 0)), 2);
       },
       "(Softmax): it works over the batch dimension"},
      {"SoftmaxOverTheBatchCountedFromTheEnd",
       [](Builder& b) {
         b.output(b.node("LogSoftmax", {b.input({kN, 4})}, with("axis", -2)), 2);
       },
       "it works over the batch dimension"},
      {"OldSoftmaxOverAllBehind",
       [](Builder& b) {
         b.opset(11);
         b.output(b.node("Softmax", {b.input({kN, 2, 4})}), 3);
       },
       ""},
      {"OldSoftmaxOverAll",
       [](Builder& b) {
         b.opset(11);
         b.output(b.node("Softmax", {b.input({kN, 2, 4})}, with("axis", 0)), 3);
       },
       "it works over the batch dimension"},
      {"ReduceMean",
       [](Builder& b) {
         b.output(b.node("ReduceMean", {b.input({kN, 2, 3, 4})}, {{"axes", Ints{2, -1}}}), 4);
       },
       ""},
      {"ReduceOverTheBatch",
       [](Builder& b) {
         b.output(b.node("ReduceMean", {b.input({kN, 4})}, {{"axes", Ints{0}}}), 2);
       },
       "it reduces the batch dimension"},
      {"ReduceAll",
       [](Builder& b) {
         b.output(b.node("ReduceMax", {b.input({kN, 4})}), 2);
       },
       "it reduces all dimensions"},
      {"ReduceBeforeTheBatch",
       [](Builder& b) {
         const auto x = b.node("Transpose", {b.input({kN, 4, 3})}, {{"perm", Ints{1, 0, 2}}});
         b.output(b.node("ReduceSum", {x, b.ints({0})}, with("keepdims", 0)), 2);
       },
       ""},
      {"ReduceOverAxesThatAreComputed",
       [](Builder& b) {
         const auto axes = b.node("Neg", {b.ints({-1})});
         b.output(b.node("ReduceSum", {b.input({kN, 4}), axes}), 2);
       },
       "its axes are not known"},
      {"ArgMax",
       [](Builder& b) {
         Attributes attributes{{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}};
         b.output(b.node("ArgMax", {b.input({kN, 4, 2})}, attributes), 2, DType::kInt64);
       },
       ""},
      {"ArgMaxByDefault",
       [](Builder& b) {
         b.output(b.node("ArgMax", {b.input({kN, 4})}), 2, DType::kInt64);
       },
       "it works over the batch dimension"},
      {"TopK",
       [](Builder& b) {
         const auto made = b.nodes("TopK", 2, {b.input({kN, 5}), b.ints({2})});
         b.output(made[0], 2);
         b.output(made[1], 2, DType::kInt64);
       },
       ""},
      {"TopKOfTheBatch",
       [](Builder& b) {
         b.output(b.nodes("TopK", 2, {b.input({kN, 5}), b.ints({1})}, with("axis", 0))[0], 2);
       },
       "it works over the batch dimension"},
      {"CumSum",
       [](Builder& b) {
         b.output(b.node("CumSum", {b.input({kN, 5}), b.integer(1)}), 2);
       },
       ""},
      {"CumSumOfTheBatch",
       [](Builder& b) {
         b.output(b.node("CumSum", {b.input({kN, 5}), b.integer(0)}), 2);
       },
       "it works over the batch dimension"},
      {"Trilu",
       [](Builder& b) {
         b.output(b.node("Trilu", {b.input({kN, 3, 3})}), 3);
       },
       ""},
      {"TriluOfTheBatch",
       [](Builder& b) {
         b.output(b.node("Trilu", {b.input({kN, 3})}), 2);
       },
       "it takes the batch dimension for a matrix's"},
      {"ReverseSequence",
       [](Builder& b) {
         b.output(b.node("ReverseSequence", {b.input({kN, 4}), b.input({kN}, DType::kInt64)}), 2);
       },
       "(ReverseSequence): what this operator does"},
  };
}

std::vector<Case> moving_cases() {
  return {
      {"Flatten",
       [](Builder& b) {
         b.output(b.node("Flatten", {b.input({kN, 2, -1})}), 2);
       },
       ""},
      {"FlattenAtZero",
       [](Builder& b) {
         b.output(b.node("Flatten", {b.input({kN, 2})}, with("axis", 0)), 2);
       },
       "it joins the batch dimension with others"},
      {"FlattenTwo",
       [](Builder& b) {
         b.output(b.node("Flatten", {b.input({kN, 2, 3})}, with("axis", 2)), 2);
       },
       "it joins the batch dimension with others"},
      {"TransposeAndBack",
       [](Builder& b) {
         auto x = b.node("Transpose", {b.input({kN, 2, 3})}, {{"perm", Ints{2, 0, 1}}});
         x = b.node("Softmax", {x}, with("axis", 0));
         b.output(b.node("Transpose", {x}, {{"perm", Ints{1, 2, 0}}}), 3);
       },
       ""},
      {"TransposeWithoutReturn",
       [](Builder& b) {
         b.output(b.node("Transpose", {b.input({kN, 2})}), 2);
       },
       "has the batch as dimension 1, expected 0"},
      {"UnsqueezeAndSqueeze",
       [](Builder& b) {
         auto x = b.node("Unsqueeze", {b.input({kN, 3}), b.ints({0, -1})});
         x = b.node("Softmax", {x}, with("axis", 2));
         b.output(b.node("Squeeze", {x, b.ints({-1, 0})}), 2);
       },
       ""},
      {"OldSqueeze",
       [](Builder& b) {
         b.opset(11);
         b.output(b.node("Squeeze", {b.input({kN, 1, 3})}, {{"axes", Ints{1}}}), 2);
       },
       ""},
      {"SqueezeTheBatch",
       [](Builder& b) {
         b.output(b.node("Squeeze", {b.input({kN, 1, 3}), b.ints({0})}), 2);
       },
       "it takes the batch dimension out"},
      {"SqueezeWhatIsOne",
       [](Builder& b) {
         b.output(b.node("Squeeze", {b.input({kN, 1, 3})}), 2);
       },
       "its axes are not known"},
      {"Concat",
       [](Builder& b) {
         const auto x = b.node("Concat", {b.input({kN, 2}), b.input({kN, 3})}, with("axis", 1));
         b.output(b.node("MatMul", {x, b.weights({5, 2})}), 2);
       },
       ""},
      {"ConcatOfTheBatch",
       [](Builder& b) {
         const auto x = b.input({kN, 2});
         b.output(b.node("Concat", {x, x}, with("axis", 0)), 2);
       },
       "it joins along the batch dimension"},
      {"ConcatWithAConstant",
       [](Builder& b) {
         b.output(b.node("Concat", {b.input({kN, 2}), b.weights({1, 3})}, with("axis", 1)), 2);
       },
       "its inputs are not all batched along the same dimension"},
      {"Split",
       [](Builder& b) {
         const auto parts =
             b.nodes("Split", 2, {b.input({kN, 5}), b.ints({2, 3})}, with("axis", 1));
         b.output(parts[1], 2);
         b.output(parts[0], 2);
       },
       ""},
      {"SplitTheBatch",
       [](Builder& b) {
         b.output(b.nodes("Split", 2, {b.input({kN, 5})})[0], 2);
       },
       "it cuts along the batch dimension"},
      {"Slice",
       [](Builder& b) {
         b.output(b.node("Slice", {b.input({kN, 5}), b.ints({-3}), b.ints({9}), b.ints({1})}), 2);
       },
       ""},
      {"SliceOfAllTheBatch",
       [](Builder& b) {
         b.output(b.node("Slice", {b.input({kN, 5}), b.ints({0, 1}),
                                   b.ints({9'223'372'036'854'775'807, 4}), b.ints({0, 1})}),
                  2);
       },
       ""},
      {"SliceTheBatch",
       [](Builder& b) {
         b.output(b.node("Slice", {b.input({kN, 5}), b.ints({0}), b.ints({1}), b.ints({0})}), 2);
       },
       "it cuts along the batch dimension"},
      {"SliceTheFirstAxesByDefault",
       [](Builder& b) {
         b.output(b.node("Slice", {b.input({kN, 5}), b.ints({1}), b.ints({2})}), 2);
       },
       "it cuts along the batch dimension"},
      {"ReverseTheBatchBySteps",
       [](Builder& b) {
         b.output(b.node("Slice", {b.input({kN, 5}), b.ints({-1}), b.ints({-1000}), b.ints({0}),
                                   b.ints({-1})}),
                  2);
       },
       "it cuts along the batch dimension"},
      {"Pad",
       [](Builder& b) {
         b.output(b.node("Pad", {b.input({kN, 3}), b.ints({0, 1, 0, 2}), b.number(4)}), 2);
       },
       ""},
      {"PadTheBatch",
       [](Builder& b) {
         b.output(b.node("Pad", {b.input({kN, 3}), b.ints({1, 0, 0, 0})}), 2);
       },
       "it pads the batch dimension"},
      {"Resize",
       [](Builder& b) {
         b.output(b.node("Resize", {b.input({kN, 2, 3, 3}), "", b.floats({1, 1, 2, 1.5F})}), 4);
       },
       ""},
      {"ResizeTheBatch",
       [](Builder& b) {
         b.output(b.node("Resize", {b.input({kN, 3}), "", b.floats({2, 1})}), 2);
       },
       "it may scale the batch dimension"},
      {"ResizeToComputedSizes",
       [](Builder& b) {
         const auto x = b.input({kN, 2, 3, 3});
         const auto head = b.node("Slice", {b.node("Shape", {x}), b.ints({0}), b.ints({2})});
         const auto sizes = b.node("Concat", {head, b.ints({5, 6})}, with("axis", 0));
         b.output(b.node("Resize", {x, "", "", sizes}), 4);
       },
       ""},
      {"Tile",
       [](Builder& b) {
         b.output(b.node("Tile", {b.input({kN, 3}), b.ints({1, 2})}), 2);
       },
       ""},
      {"TileTheBatch",
       [](Builder& b) {
         b.output(b.node("Tile", {b.input({kN, 3}), b.ints({2, 1})}), 2);
       },
       "it repeats along the batch dimension"},
      {"Expand",
       [](Builder& b) {
         b.output(b.node("Expand", {b.input({kN, 1, 3}), b.ints({4, 1})}), 3);
       },
       ""},
      {"ExpandTheBatch",
       [](Builder& b) {
         b.output(b.node("Expand", {b.input({kN, 3}), b.ints({4, 3})}), 2);
       },
       "it repeats along the batch dimension"},
  };
}

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

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Axis, BatchOfShapes, ::testing::ValuesIn(axis_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Moving, BatchOfShapes, ::testing::ValuesIn(moving_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Reshape, BatchOfShapes, ::testing::ValuesIn(reshape_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Counting, BatchOfShapes, ::testing::ValuesIn(counting_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Pick, BatchOfShapes, ::testing::ValuesIn(pick_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Inputs, BatchOfShapes, ::testing::ValuesIn(input_cases()), name_of);

}  // namespace
}  // namespace onnxop::testing_batch
