#pragma once
// What is known of a value of a graph while its batch dimension is followed from the inputs to the
// outputs. "Rows" are the slices of the inputs along dimension 0, B their number, any number over
// 0. Private to this room.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/tensor/tensor.h"

namespace onnxop {

/// One number of a shape that a graph computes with.
struct ShapeNumber {
  enum class Kind {
    kKnown,  // `value`
    kBatch,  // B
    kOther,  // not known, but the same whatever B is
    kMixed,  // depends on B in another way than being it
  };
  Kind kind = Kind::kOther;
  std::int64_t value = 0;

  static ShapeNumber known(std::int64_t value) { return {Kind::kKnown, value}; }
  static ShapeNumber batch() { return {Kind::kBatch, 0}; }
  static ShapeNumber other() { return {Kind::kOther, 0}; }
  static ShapeNumber mixed() { return {Kind::kMixed, 0}; }

  bool is_known(std::int64_t wanted) const { return kind == Kind::kKnown && value == wanted; }
  bool depends_on_batch() const { return kind == Kind::kBatch || kind == Kind::kMixed; }
};

struct BatchValue {
  enum class Kind {
    kConstant,  // the same whatever the inputs and B are
    kCounts,    // `numbers`, some of which depend on B, and none on what the rows hold
    kBatched,   // dimension `axis` has size B, and slice i depends on row i alone
    kUnknown,   // none of that could be shown: `reason`
  };
  Kind kind = Kind::kUnknown;
  std::size_t axis = 0;
  /// -1: a size that is not known, and does not depend on B, or the batch's; none: not even their
  /// number is known, of a constant only.
  std::optional<Shape> dims;
  /// Of a scalar or a vector, where they are known one by one.
  std::optional<std::vector<ShapeNumber>> numbers;
  bool fractions = false;  // `numbers` are of a floating-point type
  std::string reason;

  static BatchValue constant(std::optional<Shape> dims);
  static BatchValue batched(std::size_t axis, Shape dims);
  static BatchValue unknown(std::string reason);
  /// kCounts or kConstant; a scalar where `scalar`.
  static BatchValue of_numbers(std::vector<ShapeNumber> numbers, bool scalar);

  bool is_constant() const { return kind == Kind::kConstant; }
  bool is_batched() const { return kind == Kind::kBatched; }
  bool is_unknown() const { return kind == Kind::kUnknown; }
  bool is_scalar() const { return dims && dims->empty(); }
  /// Of a batched value.
  std::size_t rank() const { return dims->size(); }
  /// The same kind of value with other dimensions; `axis` is where the batch went, of no meaning
  /// for a constant.
  BatchValue reshaped(std::size_t to_axis, Shape to_dims) const;
};

/// What an element-wise operator makes of these constants and batched values, null ones left out:
/// ONNX's multidirectional broadcasting. Unknown where a batch meets another dimension.
BatchValue broadcast(std::span<const BatchValue* const> values);

/// Product of dims[from, to); none where one of them is not known.
std::optional<std::int64_t> known_product(const Shape& dims, std::size_t from, std::size_t to);

/// Negative ones count from the end; none outside [-rank, rank).
std::optional<std::size_t> normal_axis(std::int64_t axis, std::size_t rank);

}  // namespace onnxop
