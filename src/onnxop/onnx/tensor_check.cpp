#include "onnxop/onnx/tensor_check.h"

#include <array>
#include <charconv>
#include <string_view>
#include <vector>

#include <onnx/onnx_pb.h>

#include "onnxop/base/format.h"
#include "onnxop/onnx/external_data.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 60;

// Indexed by TensorProto.DataType; 0: no fixed size. From 17 on: five of 8 bits or less that newer
// versions added.
constexpr std::array<int, 27> kBits{0,  32,  8,  8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64,
                                    64, 128, 16, 8, 8,  8,  8,  4,  4, 4, 8,  2,  2};
constexpr std::int32_t kFirstPacked = 21;

using Problem = std::optional<std::string>;

struct TypedData {
  std::string_view field;
  std::int64_t got;
  std::int64_t per_element = 1;
};

/// The field that holds a type's values when they are not in raw_data.
TypedData typed_data(const onnx::TensorProto& tensor) {
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
      return {"float_data", tensor.float_data_size()};
    case onnx::TensorProto::COMPLEX64:
      return {"float_data", tensor.float_data_size(), 2};
    case onnx::TensorProto::DOUBLE:
      return {"double_data", tensor.double_data_size()};
    case onnx::TensorProto::COMPLEX128:
      return {"double_data", tensor.double_data_size(), 2};
    case onnx::TensorProto::INT64:
      return {"int64_data", tensor.int64_data_size()};
    case onnx::TensorProto::UINT32:
    case onnx::TensorProto::UINT64:
      return {"uint64_data", tensor.uint64_data_size()};
    case onnx::TensorProto::STRING:
      return {"string_data", tensor.string_data_size()};
    default:
      return {"int32_data", tensor.int32_data_size()};
  }
}

/// Bytes of raw data; none where the product is too large to be true.
std::optional<std::uint64_t> raw_bytes(std::int64_t elements, int bits) {
  if (elements > kMostElements / bits) {
    return std::nullopt;
  }
  return (static_cast<std::uint64_t>(elements) * static_cast<std::uint64_t>(bits) + 7) / 8;
}

Problem inline_problem(const onnx::TensorProto& tensor, std::int64_t elements, int bits) {
  if (tensor.has_raw_data()) {
    if (bits == 0) {
      return "strings cannot be raw data";
    }
    const auto needed = raw_bytes(elements, bits);
    if (!needed || *needed != tensor.raw_data().size()) {
      return format("got {} bytes of raw_data, expected {}", tensor.raw_data().size(),
                    needed ? format("{}", *needed) : "far more");
    }
    return std::nullopt;
  }
  const TypedData data = typed_data(tensor);
  const bool packed = tensor.data_type() >= kFirstPacked;
  const std::int64_t needed =
      packed ? static_cast<std::int64_t>(raw_bytes(elements, bits).value_or(UINT64_MAX))
             : elements * data.per_element;
  if (data.got != needed && !(packed && data.got == elements)) {
    return format("got {} values in {}, expected {}", data.got, data.field, needed);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> to_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

Problem external_problem(const onnx::TensorProto& tensor, std::int64_t elements, int bits,
                         const std::filesystem::path& folder) {
  if (bits == 0) {
    return "strings cannot be external data";
  }
  ExternalRange range;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") {
      range.location = entry.value();
      continue;
    }
    if (entry.key() != "offset" && entry.key() != "length") {
      continue;
    }
    const auto number = to_number(entry.value());
    if (!number) {
      return format("external data: got {} '{}', expected a number of bytes", entry.key(),
                    entry.value());
    }
    (entry.key() == "offset" ? range.offset : range.length) = *number;
  }
  const auto needed = raw_bytes(elements, bits);
  if (!needed || (range.length && *range.length != *needed)) {
    return format("external data: got a length of {} bytes, expected {}", range.length.value_or(0),
                  needed ? format("{}", *needed) : "far more");
  }
  range.length = needed;
  return external_range_problem(range, folder);
}

}  // namespace

std::optional<std::int64_t> tensor_elements(const onnx::TensorProto& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t size : tensor.dims()) {
    if (size < 0 || (size != 0 && count > kMostElements / size)) {
      return std::nullopt;
    }
    count *= size;
  }
  return count;
}

bool is_known_element_type(std::int32_t data_type) {
  return data_type > 0 && data_type < static_cast<std::int32_t>(kBits.size());
}

std::optional<std::string> tensor_problem(const onnx::TensorProto& tensor,
                                          const std::filesystem::path& folder) {
  if (!is_known_element_type(tensor.data_type())) {
    return format("got element type {}, expected 1 to {}", tensor.data_type(), kBits.size() - 1);
  }
  const auto elements = tensor_elements(tensor);
  if (!elements) {
    return format("got dimensions [{}], expected none below 0 and fewer elements",
                  join(tensor.dims(), ", "));
  }
  if (tensor.has_segment()) {
    return "it is cut into segments, which no runtime reads";
  }
  const int bits = kBits[static_cast<std::size_t>(tensor.data_type())];
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    return external_problem(tensor, *elements, bits, folder);
  }
  return inline_problem(tensor, *elements, bits);
}

std::optional<std::string> value_problem(const onnx::ValueInfoProto& value) {
  constexpr std::int64_t kMost = std::int64_t{1} << 31;
  std::int64_t elements = 1;
  for (const auto& dim : value.type().tensor_type().shape().dim()) {
    const std::int64_t size = dim.has_dim_value() ? dim.dim_value() : 1;
    if (size == 0) {
      return std::nullopt;
    }
    // What is over the limit stays there, as long as no dimension is 0.
    elements = size < 0 || elements > kMost ? elements
               : size > kMost / elements    ? kMost + 1
                                            : elements * size;
  }
  if (elements <= kMost) {
    return std::nullopt;
  }
  std::vector<std::string> sizes;
  for (const auto& dim : value.type().tensor_type().shape().dim()) {
    sizes.push_back(dim.has_dim_value() ? format("{}", dim.dim_value()) : "?");
  }
  return format("value '{}': got shape [{}], expected at most {} elements", value.name(),
                join(sizes, ", "), kMost);
}

std::optional<std::string> external_location(const onnx::TensorProto& tensor) {
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL) {
    return std::nullopt;
  }
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") {
      return entry.value();
    }
  }
  return "";
}

}  // namespace onnxop
