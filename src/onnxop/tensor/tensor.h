#pragma once
// Tensor: bytes with an element type and a shape, owned or viewed; always dense, row-major, native
// byte order; or texts with a shape. A const Tensor may be read from any thread. Copying is
// explicit (clone), moving is cheap.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/tensor/dtype.h"

namespace onnxop {

/// Sizes of the dimensions, outermost first; empty: a scalar. -1 stands for a free dimension where
/// a declaration (not a value) is meant.
using Shape = std::vector<std::int64_t>;

/// Product of the sizes; throws Error{kInvalidArgument} for a negative size or a product over 2^62.
std::int64_t element_count(const Shape& shape);

/// "[2, ?, 28]" with ? for a free dimension.
std::string shape_text(const Shape& shape);

class Tensor {
 public:
  Tensor() = default;
  /// Owns zeroed, 64-byte aligned memory. Throws Error{kInvalidArgument} for a type without a fixed
  /// element size.
  Tensor(DType dtype, Shape shape);
  /// Looks at memory that must outlive the tensor. `bytes` must have exactly the size that dtype
  /// and shape need.
  static Tensor view(DType dtype, Shape shape, std::span<std::byte> bytes);
  /// Keeps `owner` alive as long as the tensor looks at `bytes`.
  static Tensor shared(DType dtype, Shape shape, std::span<std::byte> bytes,
                       std::shared_ptr<void> owner);
  template <typename T>
  static Tensor of(Shape shape, std::span<const T> values);
  /// A tensor of texts (kString), which has no bytes(). Throws Error{kInvalidArgument} unless there
  /// are as many as the shape says.
  static Tensor of_strings(Shape shape, std::vector<std::string> values);

  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  Tensor clone() const;
  /// The same elements, for reading: on the same memory where the tensor keeps that alive, else a
  /// clone().
  Tensor share() const;

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t size() const { return element_count(shape_); }
  std::span<std::byte> bytes() { return bytes_; }
  std::span<const std::byte> bytes() const { return bytes_; }

  /// The elements. Throws Error{kInternal} when T is not the tensor's type.
  template <typename T>
  std::span<T> values() {
    check_dtype(DTypeOf<T>::value);
    return {reinterpret_cast<T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }
  template <typename T>
  std::span<const T> values() const {
    check_dtype(DTypeOf<T>::value);
    return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }

  /// The texts; none are left in a tensor that was moved from. Throws Error{kInternal} for a tensor
  /// of another type.
  std::span<const std::string> strings() const;

 private:
  void check_dtype(DType wanted) const;
  void check_size(std::size_t got) const;

  DType dtype_ = DType::kUndefined;
  Shape shape_;
  std::span<std::byte> bytes_;
  std::shared_ptr<void> owner_;
  std::shared_ptr<const std::vector<std::string>> strings_;
};

template <typename T>
Tensor Tensor::of(Shape shape, std::span<const T> values) {
  Tensor tensor(DTypeOf<T>::value, std::move(shape));
  const auto from = std::as_bytes(values);
  tensor.check_size(from.size());
  std::copy(from.begin(), from.end(), tensor.bytes().begin());
  return tensor;
}

/// A tensor as a model's input or output names it.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// What a model says of an input or output: -1 is a free dimension.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;
};

}  // namespace onnxop
