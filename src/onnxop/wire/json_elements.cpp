#include "onnxop/wire/json_elements.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "onnxop/base/error.h"
#include "onnxop/wire/oip_datatype.h"

namespace onnxop {
namespace {

template <typename T>
constexpr bool kIsWhole = std::is_integral_v<T> && !std::is_same_v<T, bool>;

template <typename T>
bool read_value(const JsonElement& value, T& to) {
  if constexpr (std::is_same_v<T, std::string>) {
    std::string_view text;
    const bool good = value.get_string().get(text) == simdjson::SUCCESS;
    to = text;
    return good;
  } else if constexpr (std::is_same_v<T, bool>) {
    std::uint64_t number = 0;
    if (value.get_uint64().get(number) == simdjson::SUCCESS && number <= 1) {
      to = number == 1;
      return true;
    }
    return value.get_bool().get(to) == simdjson::SUCCESS;
  } else if constexpr (std::is_floating_point_v<T>) {
    double number = 0;
    if (value.get_double().get(number) != simdjson::SUCCESS) {
      return false;
    }
    to = static_cast<T>(number);
    return std::isfinite(to);
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return value.get_uint64().get(to) == simdjson::SUCCESS;
  } else {
    std::int64_t number = 0;
    if (value.get_int64().get(number) != simdjson::SUCCESS ||
        number < static_cast<std::int64_t>(std::numeric_limits<T>::min()) ||
        number > static_cast<std::int64_t>(std::numeric_limits<T>::max())) {
      return false;
    }
    to = static_cast<T>(number);
    return true;
  }
}

/// "INT8 (-128 to 127)"
template <typename T>
std::string expected_text(DType dtype) {
  if constexpr (kIsWhole<T>) {
    return format("{} ({} to {})", oip_datatype(dtype), std::numeric_limits<T>::min(),
                  std::numeric_limits<T>::max());
  } else {
    return std::string(oip_datatype(dtype));
  }
}

template <typename T>
class ElementReader {
 public:
  ElementReader(std::span<T> to, DType dtype, std::string_view what)
      : to_(to), dtype_(dtype), what_(what) {}

  /// Calls itself as deep as the JSON may be nested.
  void read(const JsonArray& values) {
    for (const JsonElement value : values) {
      if (value.is_array()) {
        read(value.get_array().value_unsafe());
      } else if (next_ == to_.size()) {
        ++next_;
        refuse_count();
      } else if (read_value(value, to_[next_])) {
        ++next_;
      } else {
        fail(ErrorCode::kInvalidArgument, "{}: element {} is {}, expected {}", what_, next_,
             describe_json(value), expected_text<T>(dtype_));
      }
    }
  }

  void finish() const {
    if (next_ != to_.size()) {
      refuse_count();
    }
  }

 private:
  [[noreturn]] void refuse_count() const {
    fail(ErrorCode::kInvalidArgument, "{}: got {} {} elements, expected the {} of its shape", what_,
         next_ > to_.size() ? "more than" : "only", std::min(next_, to_.size()), to_.size());
  }

  std::span<T> to_;
  DType dtype_;
  std::string_view what_;
  std::size_t next_ = 0;
};

template <typename T>
void read_all(std::span<T> to, DType dtype, const JsonArray& data, std::string_view what) {
  ElementReader<T> reader(to, dtype, what);
  reader.read(data);
  reader.finish();
}

template <typename T>
Tensor read_numbers(DType dtype, Shape shape, const JsonArray& data, std::string_view what) {
  Tensor tensor(dtype, std::move(shape));
  read_all(tensor.values<T>(), dtype, data, what);
  return tensor;
}

Tensor read_texts(Shape shape, const JsonArray& data, std::string_view what) {
  std::vector<std::string> texts(static_cast<std::size_t>(element_count(shape)));
  read_all(std::span(texts), DType::kString, data, what);
  return Tensor::of_strings(std::move(shape), std::move(texts));
}

/// An element and the comma behind it are two characters, or three for a text.
void check_plausible(DType dtype, const Shape& shape, std::size_t json_bytes,
                     std::string_view what) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  if (count > json_bytes / (dtype == DType::kString ? 3 : 2)) {
    fail(ErrorCode::kInvalidArgument,
         "{}: its shape has {} elements, more than the JSON of {} bytes can hold", what, count,
         json_bytes);
  }
}

}  // namespace

Tensor read_json_data(DType dtype, Shape shape, const JsonArray& data, std::size_t json_bytes,
                      std::string_view what) {
  check_plausible(dtype, shape, json_bytes, what);
  switch (dtype) {
    case DType::kBool:
      return read_numbers<bool>(dtype, std::move(shape), data, what);
    case DType::kUint8:
      return read_numbers<std::uint8_t>(dtype, std::move(shape), data, what);
    case DType::kUint16:
      return read_numbers<std::uint16_t>(dtype, std::move(shape), data, what);
    case DType::kUint32:
      return read_numbers<std::uint32_t>(dtype, std::move(shape), data, what);
    case DType::kUint64:
      return read_numbers<std::uint64_t>(dtype, std::move(shape), data, what);
    case DType::kInt8:
      return read_numbers<std::int8_t>(dtype, std::move(shape), data, what);
    case DType::kInt16:
      return read_numbers<std::int16_t>(dtype, std::move(shape), data, what);
    case DType::kInt32:
      return read_numbers<std::int32_t>(dtype, std::move(shape), data, what);
    case DType::kInt64:
      return read_numbers<std::int64_t>(dtype, std::move(shape), data, what);
    case DType::kFloat32:
      return read_numbers<float>(dtype, std::move(shape), data, what);
    case DType::kFloat64:
      return read_numbers<double>(dtype, std::move(shape), data, what);
    case DType::kString:
      return read_texts(std::move(shape), data, what);
    default:
      fail(ErrorCode::kInvalidArgument,
           "{}: {} cannot be given as JSON, only as binary data (binary_data_size)", what,
           oip_datatype(dtype));
  }
}

}  // namespace onnxop
