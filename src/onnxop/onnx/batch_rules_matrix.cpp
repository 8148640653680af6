// Matrix products: the batch may be a row or a column of the result, or a stack of matrices.

#include <utility>

#include "onnxop/onnx/batch_rules.h"

namespace onnxop {
namespace {

/// What becomes of the batch of one factor in a product with another.
struct Product {
  const BatchValue& left;
  const BatchValue& right;

  // Without the leading dimensions, vectors being what they are: [.., M, K] x [.., K, N].
  bool left_is_vector() const { return left.rank() == 1; }
  bool right_is_vector() const { return right.rank() == 1; }

  /// -1 where not known; a batch's too.
  std::int64_t rows() const { return (*left.dims)[left.rank() - 2]; }
  std::int64_t columns() const { return right.dims->back(); }
};

/// A value with the leading dimensions of a stack of matrices only.
BatchValue stack_of(const BatchValue& matrices) {
  Shape dims = *matrices.dims;
  dims.resize(dims.size() < 2 ? 0 : dims.size() - 2);
  const bool leads = matrices.is_batched() && matrices.axis < dims.size();
  return leads ? BatchValue::batched(matrices.axis, std::move(dims))
               : BatchValue::constant(std::move(dims));
}

bool leads(const BatchValue& matrices) {
  return matrices.is_batched() && matrices.axis + 2 < matrices.rank();
}

RuleResult product(const BatchValue& left, const BatchValue& right) {
  if (!left.dims || !right.dims) {
    return not_shown("the shape of a constant that it takes is not known");
  }
  if (left.rank() == 0 || right.rank() == 0) {
    return not_shown("expected no scalars");
  }
  const Product factors{left, right};
  const bool sums_left = left.is_batched() && left.axis + 1 == left.rank();
  const bool sums_right =
      right.is_batched() && (factors.right_is_vector() || right.axis + 2 == right.rank());
  if (sums_left || sums_right) {
    return not_shown("it sums over the batch dimension");
  }
  if (left.is_batched() && right.is_batched() && leads(left) != leads(right)) {
    return not_shown("it multiplies rows of the batch with each other");
  }
  const bool both_inner = left.is_batched() && right.is_batched() && !leads(left);
  if (both_inner) {
    return not_shown("it multiplies rows of the batch with each other");
  }
  const BatchValue left_stack = stack_of(left);
  const BatchValue right_stack = stack_of(right);
  const std::vector<const BatchValue*> stacks{&left_stack, &right_stack};
  BatchValue stack = broadcast(stacks);
  if (stack.is_unknown()) {
    return {std::move(stack)};
  }
  Shape dims = *stack.dims;
  std::optional<std::size_t> axis;
  if (stack.is_batched()) {
    axis = stack.axis;
  }
  if (!factors.left_is_vector()) {
    axis = left.is_batched() && !axis ? dims.size() : axis;
    dims.push_back(factors.rows());
  }
  if (!factors.right_is_vector()) {
    axis = right.is_batched() && !axis ? dims.size() : axis;
    dims.push_back(factors.columns());
  }
  return {axis ? BatchValue::batched(*axis, std::move(dims))
               : BatchValue::constant(std::move(dims))};
}

RuleResult matmul(const RuleNode& node) {
  if (node.inputs().size() != 2 || node.input(0) == nullptr || node.input(1) == nullptr) {
    return not_shown("expected two inputs");
  }
  return product(*node.input(0), *node.input(1));
}

bool is_one_number(const BatchValue* value) {
  return value == nullptr || (value->is_constant() && value->dims &&
                              known_product(*value->dims, 0, value->rank()) == 1);
}

/// A, B, and zero points: of A for all its rows, of B for all or for each column.
RuleResult matmul_integer(const RuleNode& node) {
  if (node.input(0) == nullptr || node.input(1) == nullptr || !is_one_number(node.input(2)) ||
      !is_one_number(node.input(3))) {
    return not_shown("expected two inputs and zero points of one element");
  }
  return product(*node.input(0), *node.input(1));
}

/// A, its scale and zero point, B, its own, and those of the result.
RuleResult qlinear_matmul(const RuleNode& node) {
  for (std::size_t i : {1U, 2U, 4U, 5U, 6U, 7U}) {
    if (!is_one_number(node.input(i))) {
      return not_shown("expected constant scales and zero points of one element");
    }
  }
  if (node.input(0) == nullptr || node.input(3) == nullptr) {
    return not_shown("expected two factors");
  }
  return product(*node.input(0), *node.input(3));
}

BatchValue transposed(const BatchValue& matrix, bool yes) {
  if (!yes) {
    return matrix;
  }
  return matrix.reshaped(1 - matrix.axis % 2, {(*matrix.dims)[1], (*matrix.dims)[0]});
}

RuleResult gemm(const RuleNode& node) {
  for (std::size_t i : {0U, 1U}) {
    const BatchValue* input = node.input(i);
    if (input == nullptr || !input->dims || input->rank() != 2) {
      return not_shown("expected two matrices of known shape");
    }
  }
  RuleResult result = product(transposed(*node.input(0), node.integer("transA", 0) != 0),
                              transposed(*node.input(1), node.integer("transB", 0) != 0));
  if (result.front().is_unknown() || node.input(2) == nullptr) {
    return result;
  }
  const std::vector<const BatchValue*> terms{&result.front(), node.input(2)};
  BatchValue sum = broadcast(terms);
  if (!sum.is_unknown() && (!sum.dims || sum.rank() != 2)) {
    return not_shown("expected a bias of at most two dimensions");
  }
  return {std::move(sum)};
}

}  // namespace

void add_matrix_rules(BatchRules& rules) {
  rules["MatMul"] = {matmul};
  rules["MatMulInteger"] = {matmul_integer};
  rules["QLinearMatMul"] = {qlinear_matmul};
  rules["Gemm"] = {gemm};
}

}  // namespace onnxop
