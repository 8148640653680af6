#include "onnxop/wire/mlflow_values.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

/// All of the text, or none.
template <typename T>
std::optional<T> read_digits(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

[[noreturn]] void refuse_integer(std::string_view what, std::string_view got) {
  fail(ErrorCode::kInvalidArgument,
       "Invalid value {} for parameter '{}' supplied: expected a whole number of 64 bits", got,
       what);
}

[[noreturn]] void refuse_number(std::string_view what, std::string_view got) {
  fail(ErrorCode::kInvalidArgument,
       "Invalid value {} for parameter '{}' supplied: expected a number", got, what);
}

/// A whole number that is written as a floating-point one, as some clients do.
std::optional<std::int64_t> whole(double value) {
  constexpr double kMost = 9007199254740992.0;  // 2^53: beyond it not every whole number is one
  return std::trunc(value) == value && std::abs(value) <= kMost
             ? std::optional(static_cast<std::int64_t>(value))
             : std::nullopt;
}

}  // namespace

std::int64_t mlflow_integer(std::string_view text, std::string_view what) {
  if (const auto value = read_digits<std::int64_t>(text)) {
    return *value;
  }
  refuse_integer(what, format("'{}'", shown(text)));
}

double mlflow_number(std::string_view text, std::string_view what) {
  if (text == "NaN") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (text == "Infinity" || text == "-Infinity") {
    const double infinity = std::numeric_limits<double>::infinity();
    return text.front() == '-' ? -infinity : infinity;
  }
  const auto value = read_digits<double>(text);
  if (!value || !std::isfinite(*value)) {  // other spellings of what is no number
    refuse_number(what, format("'{}'", shown(text)));
  }
  return *value;
}

std::int64_t mlflow_integer(const JsonElement& value, std::string_view what) {
  std::int64_t integer = 0;
  if (value.get_int64().get(integer) == simdjson::SUCCESS) {
    return integer;
  }
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    return mlflow_integer(text, what);
  }
  double number = 0;
  if (value.is_double() && value.get_double().get(number) == simdjson::SUCCESS) {
    if (const auto found = whole(number)) {
      return *found;
    }
  }
  refuse_integer(what, describe_json(value));
}

double mlflow_number(const JsonElement& value, std::string_view what) {
  double number = 0;
  if (value.is_number() && value.get_double().get(number) == simdjson::SUCCESS) {
    return number;
  }
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    return mlflow_number(text, what);
  }
  refuse_number(what, describe_json(value));
}

}  // namespace onnxop
