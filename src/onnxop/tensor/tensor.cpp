#include "onnxop/tensor/tensor.h"

#include <new>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::int64_t kMostElements = std::int64_t{1} << 62;

std::size_t byte_count(DType dtype, const Shape& shape) {
  const auto size = static_cast<std::int64_t>(dtype_size(dtype));
  if (size == 0) {
    fail(ErrorCode::kInvalidArgument,
         "a tensor of type {} cannot be held: its elements have no fixed size", dtype_name(dtype));
  }
  const std::int64_t count = element_count(shape);
  if (count > kMostElements / size) {
    fail(ErrorCode::kInvalidArgument, "a {} tensor of shape {} has too many elements",
         dtype_name(dtype), shape_text(shape));
  }
  return static_cast<std::size_t>(count * size);
}

}  // namespace

std::int64_t element_count(const Shape& shape) {
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) {
    fail(ErrorCode::kInvalidArgument, "shape {} has a negative size", shape_text(shape));
  }
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {
    return 0;
  }
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (count > kMostElements / size) {
      fail(ErrorCode::kInvalidArgument, "shape {} has too many elements", shape_text(shape));
    }
    count *= size;
  }
  return count;
}

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += i == 0 ? "" : ", ";
    text += shape[i] == -1 ? "?" : format("{}", shape[i]);
  }
  return text + "]";
}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  const std::size_t bytes = byte_count(dtype_, shape_);
  auto* memory =
      static_cast<std::byte*>(::operator new(std::max<std::size_t>(bytes, 1), kAlignment));
  owner_ = std::shared_ptr<void>(memory, [](void* p) { ::operator delete(p, kAlignment); });
  std::fill_n(memory, bytes, std::byte{0});
  bytes_ = {memory, bytes};
}

Tensor Tensor::view(DType dtype, Shape shape, std::span<std::byte> bytes) {
  return shared(dtype, std::move(shape), bytes, nullptr);
}

Tensor Tensor::shared(DType dtype, Shape shape, std::span<std::byte> bytes,
                      std::shared_ptr<void> owner) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.bytes_ = bytes;
  tensor.owner_ = std::move(owner);
  tensor.check_size(bytes.size());
  return tensor;
}

Tensor Tensor::of_strings(Shape shape, std::vector<std::string> values) {
  const auto expected = static_cast<std::size_t>(element_count(shape));
  if (values.size() != expected) {
    fail(ErrorCode::kInvalidArgument, "{} texts for a tensor of shape {}, expected {}",
         values.size(), shape_text(shape), expected);
  }
  Tensor tensor;
  tensor.dtype_ = DType::kString;
  tensor.shape_ = std::move(shape);
  tensor.strings_ = std::make_shared<const std::vector<std::string>>(std::move(values));
  return tensor;
}

std::span<const std::string> Tensor::strings() const {
  check_dtype(DType::kString);
  return strings_ ? std::span<const std::string>(*strings_) : std::span<const std::string>();
}

Tensor Tensor::clone() const {
  if (dtype_ == DType::kString) {
    Tensor copy;
    copy.dtype_ = dtype_;
    copy.shape_ = shape_;
    copy.strings_ = strings_;  // which nobody can change
    return copy;
  }
  if (dtype_ == DType::kUndefined) {
    return {};
  }
  Tensor copy(dtype_, shape_);
  std::copy(bytes_.begin(), bytes_.end(), copy.bytes_.begin());
  return copy;
}

Tensor Tensor::share() const {
  return owner_ ? shared(dtype_, shape_, bytes_, owner_) : clone();
}

void Tensor::check_dtype(DType wanted) const {
  if (dtype_ != wanted) {
    fail(ErrorCode::kInternal, "a {} tensor was read as {}", dtype_name(dtype_),
         dtype_name(wanted));
  }
}

void Tensor::check_size(std::size_t got) const {
  const std::size_t expected = byte_count(dtype_, shape_);
  if (got != expected) {
    fail(ErrorCode::kInvalidArgument, "{} bytes for a {} tensor of shape {}, expected {}", got,
         dtype_name(dtype_), shape_text(shape_), expected);
  }
}

}  // namespace onnxop
