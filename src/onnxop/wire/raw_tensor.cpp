#include "onnxop/wire/raw_tensor.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/wire/oip_datatype.h"

namespace onnxop {
namespace {

static_assert(std::endian::native == std::endian::little);

std::uint32_t read_length(std::span<const std::byte> bytes) {
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  return length;
}

Tensor string_tensor(Shape shape, std::span<const std::byte> bytes, std::string_view what) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  std::vector<std::string> texts;
  texts.reserve(std::min(count, bytes.size() / sizeof(std::uint32_t)));
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t length = bytes.size() < sizeof length ? 0 : read_length(bytes);
    if (bytes.size() < sizeof length || length > bytes.size() - sizeof length) {
      fail(ErrorCode::kInvalidArgument,
           "{}: the bytes end within element {} of {}, expected a length of 4 bytes and as many "
           "bytes behind it",
           what, i, count);
    }
    texts.emplace_back(reinterpret_cast<const char*>(bytes.data()) + sizeof length, length);
    bytes = bytes.subspan(sizeof length + length);
  }
  if (!bytes.empty()) {
    fail(ErrorCode::kInvalidArgument, "{}: {} bytes are left behind its {} elements", what,
         bytes.size(), count);
  }
  return Tensor::of_strings(std::move(shape), std::move(texts));
}

}  // namespace

Tensor raw_tensor(DType dtype, Shape shape, std::span<std::byte> bytes, std::string_view what,
                  std::shared_ptr<void> owner) {
  if (dtype == DType::kString) {
    return string_tensor(std::move(shape), bytes, what);
  }
  const std::size_t size = dtype_size(dtype);
  const auto expected = static_cast<std::size_t>(element_count(shape));
  if (bytes.size() % size != 0 || bytes.size() / size != expected) {
    fail(ErrorCode::kInvalidArgument, "{}: got {} bytes, expected {} x {} for {} of shape {}", what,
         bytes.size(), expected, size, oip_datatype(dtype), shape_text(shape));
  }
  if (dtype == DType::kBool &&
      std::any_of(bytes.begin(), bytes.end(), [](std::byte each) { return each > std::byte{1}; })) {
    fail(ErrorCode::kInvalidArgument, "{}: a BOOL is neither 0 nor 1", what);
  }
  const bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % size == 0;
  if (aligned && !bytes.empty()) {
    return Tensor::shared(dtype, std::move(shape), bytes, std::move(owner));
  }
  Tensor copy(dtype, std::move(shape));
  std::copy(bytes.begin(), bytes.end(), copy.bytes().begin());
  return copy;
}

std::vector<std::byte> raw_strings(const Tensor& tensor) {
  std::vector<std::byte> bytes;
  for (const std::string& text : tensor.strings()) {
    if (text.size() > UINT32_MAX) {
      fail(ErrorCode::kTooLarge, "a text of {} bytes cannot be sent", text.size());
    }
    const auto length = static_cast<std::uint32_t>(text.size());
    const auto head = std::as_bytes(std::span(&length, 1));
    bytes.insert(bytes.end(), head.begin(), head.end());
    const auto body = std::as_bytes(std::span(text));
    bytes.insert(bytes.end(), body.begin(), body.end());
  }
  return bytes;
}

std::int64_t checked_element_count(const Shape& shape, std::int64_t max_elements,
                                   std::string_view what) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0) {
      fail(ErrorCode::kInvalidArgument, "{}: shape {} has a negative dimension", what,
           shape_text(shape));
    }
    count = size == 0 ? 0 : count;
  }
  for (const std::int64_t size : shape) {
    if (count > 0 && size > max_elements / count) {
      fail(ErrorCode::kTooLarge, "{}: shape {} has more than {} elements", what, shape_text(shape),
           max_elements);
    }
    count *= size;
  }
  return count;
}

}  // namespace onnxop
