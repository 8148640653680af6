// Dimensions that are moved, joined, cut and picked from: which leave the batch one.

#include "onnxop/onnx/test_batch_check.h"

namespace onnxop::testing_batch {
namespace {

constexpr std::int64_t kN = kRows;

// NOLINTNEXTLINE(readability-function-size): a table
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

// NOLINTNEXTLINE(readability-function-size): a table
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

class BatchOfAxes : public ::testing::TestWithParam<Case> {};

TEST_P(BatchOfAxes, IsKeptApartOrRefused) {
  check(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Axis, BatchOfAxes, ::testing::ValuesIn(axis_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Moving, BatchOfAxes, ::testing::ValuesIn(moving_cases()), name_of);

}  // namespace
}  // namespace onnxop::testing_batch
