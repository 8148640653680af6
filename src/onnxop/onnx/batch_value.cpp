#include "onnxop/onnx/batch_value.h"

#include <algorithm>
#include <limits>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

/// The size at a position counted from the end; 1 where the value has no such dimension.
std::int64_t size_from_end(const BatchValue& value, std::size_t from_end) {
  const Shape& dims = *value.dims;
  return from_end < dims.size() ? dims[dims.size() - 1 - from_end] : 1;
}

std::int64_t broadcast_size(std::int64_t left, std::int64_t right) {
  if (left == 1) {
    return right;
  }
  if (right == 1) {
    return left;
  }
  return std::max(left, right);  // a known one wins over one that is not
}

}  // namespace

BatchValue BatchValue::constant(std::optional<Shape> dims) {
  BatchValue value;
  value.kind = Kind::kConstant;
  value.dims = std::move(dims);
  return value;
}

BatchValue BatchValue::batched(std::size_t axis, Shape dims) {
  BatchValue value;
  value.kind = Kind::kBatched;
  value.axis = axis;
  value.dims = std::move(dims);
  value.dims->at(axis) = -1;
  return value;
}

BatchValue BatchValue::unknown(std::string reason) {
  BatchValue value;
  value.reason = std::move(reason);
  return value;
}

BatchValue BatchValue::of_numbers(std::vector<ShapeNumber> numbers, bool scalar) {
  BatchValue value;
  const bool counts = std::any_of(numbers.begin(), numbers.end(),
                                  [](const ShapeNumber& each) { return each.depends_on_batch(); });
  value.kind = counts ? Kind::kCounts : Kind::kConstant;
  value.dims = scalar ? Shape{} : Shape{static_cast<std::int64_t>(numbers.size())};
  value.numbers = std::move(numbers);
  return value;
}

BatchValue BatchValue::reshaped(std::size_t to_axis, Shape to_dims) const {
  return is_batched() ? batched(to_axis, std::move(to_dims)) : constant(std::move(to_dims));
}

BatchValue broadcast(std::span<const BatchValue* const> values) {
  std::size_t rank = 0;
  std::optional<std::size_t> batch;  // its position, counted from the end
  const BatchValue* shapeless = nullptr;
  for (const BatchValue* value : values) {
    if (value == nullptr) {
      continue;
    }
    if (!value->dims) {
      shapeless = value;
      continue;
    }
    rank = std::max(rank, value->rank());
    if (value->is_batched()) {
      const std::size_t position = value->rank() - 1 - value->axis;
      if (batch && *batch != position) {
        return BatchValue::unknown(
            "broadcasting aligns the batch dimension of one input with another dimension of "
            "another");
      }
      batch = position;
    }
  }
  if (shapeless != nullptr) {
    return batch ? BatchValue::unknown("the shape of a constant that it takes is not known")
                 : BatchValue::constant(std::nullopt);
  }
  Shape dims(rank, 1);
  for (const BatchValue* value : values) {
    for (std::size_t i = 0; value != nullptr && i < rank; ++i) {
      const std::int64_t size = size_from_end(*value, i);
      if (batch && i == *batch && !value->is_batched() && size != 1) {
        return BatchValue::unknown(
            format("broadcasting aligns the batch dimension with a constant's dimension of size {}",
                   size < 0 ? "?" : std::to_string(size)));
      }
      std::int64_t& to = dims[rank - 1 - i];
      to = broadcast_size(to, size);
    }
  }
  return batch ? BatchValue::batched(rank - 1 - *batch, std::move(dims))
               : BatchValue::constant(std::move(dims));
}

std::optional<std::int64_t> known_product(const Shape& dims, std::size_t from, std::size_t to) {
  std::int64_t product = 1;
  for (std::size_t i = from; i < to; ++i) {
    if (dims[i] < 0 || __builtin_mul_overflow(product, dims[i], &product)) {
      return std::nullopt;
    }
  }
  return product;
}

std::optional<std::size_t> normal_axis(std::int64_t axis, std::size_t rank) {
  const auto size = static_cast<std::int64_t>(rank);
  if (axis < -size || axis >= size) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
}

}  // namespace onnxop
