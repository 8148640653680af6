#include "onnxop/wire/json_reading.h"

#include <algorithm>
#include <charconv>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

template <typename T>
bool reads_as(std::string_view digits) {
  T value{};
  return std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc();
}

/// Where the string that begins at `at` ends: behind its closing quote.
std::size_t skip_string(std::string_view json, std::size_t at) {
  ++at;
  while (at < json.size() && json[at] != '"') {
    at += json[at] == '\\' ? 2 : 1;
  }
  return std::min(at + 1, json.size());
}

/// The same text, with whole numbers that no 64 bits hold written as floating-point ones: the
/// parser refuses them, though FP32 and FP64 may have them.
std::string widen_integers(std::string_view json) {
  std::string wide;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] == '"') {
      i = skip_string(json, i);
      continue;
    }
    if (json[i] != '-' && !is_digit(json[i])) {
      ++i;
      continue;
    }
    const std::size_t end = std::min(json.find_first_not_of("0123456789+-.eE", i), json.size());
    const std::string_view number = json.substr(i, end - i);
    if (std::all_of(number.begin() + 1, number.end(), is_digit) &&
        !reads_as<std::int64_t>(number) && !reads_as<std::uint64_t>(number)) {
      wide.append(json, copied, end - copied);
      wide += "e0";
      copied = end;
    }
    i = end;
  }
  wide.append(json, copied);
  return wide;
}

std::string_view kind_of(const JsonElement& value) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::STRING:
      return "a text";
    case element_type::BOOL:
      return "a truth value";
    case element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

[[noreturn]] void refuse(std::string_view what, const JsonElement& got, std::string_view expected) {
  fail(ErrorCode::kInvalidArgument, "{}: got {}, expected {}", what, kind_of(got), expected);
}

simdjson::error_code parse(simdjson::dom::parser& parser, std::string_view json,
                           std::size_t max_depth, JsonElement& root) {
  // The parser counts the end of the innermost value too.
  if (const auto error = parser.allocate(std::max<std::size_t>(json.size(), 1), max_depth + 1)) {
    return error;
  }
  // An empty body may have no address, which is not one to copy from.
  const char* text = json.data() == nullptr ? "" : json.data();
  return parser.parse(text, json.size(), true).get(root);
}

}  // namespace

JsonDocument::JsonDocument(std::string_view json, std::size_t max_depth) {
  auto error = parse(parser_, json, max_depth, root_);
  if (error == simdjson::DEPTH_ERROR) {
    fail(ErrorCode::kInvalidArgument, "the JSON is nested more than {} deep", max_depth);
  }
  if (error == simdjson::CAPACITY || error == simdjson::MEMALLOC) {
    fail(ErrorCode::kTooLarge, "the JSON of {} bytes is too large", json.size());
  }
  if (error != simdjson::SUCCESS) {
    const std::string wide = widen_integers(json);
    if (wide.size() != json.size()) {
      error = parse(parser_, wide, max_depth, root_);
    }
  }
  if (error == simdjson::NUMBER_ERROR) {
    fail(ErrorCode::kInvalidArgument,
         "the request is no JSON: a number is misspelt, or beyond the largest of 64 bits");
  }
  if (error != simdjson::SUCCESS) {
    fail(ErrorCode::kInvalidArgument, "the request is no JSON: {}", simdjson::error_message(error));
  }
}

std::optional<JsonElement> find_member(const JsonObject& from, std::string_view key) {
  JsonElement value;
  if (from.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) {
    return std::nullopt;
  }
  return value;
}

std::optional<JsonElement> find_member(const std::optional<JsonObject>& from,
                                       std::string_view key) {
  return from ? find_member(*from, key) : std::nullopt;
}

JsonObject as_object(const JsonElement& value, std::string_view what) {
  JsonObject result;
  if (value.get_object().get(result) != simdjson::SUCCESS) {
    refuse(what, value, "an object");
  }
  return result;
}

JsonArray as_array(const JsonElement& value, std::string_view what) {
  JsonArray result;
  if (value.get_array().get(result) != simdjson::SUCCESS) {
    refuse(what, value, "an array");
  }
  return result;
}

std::string_view as_text(const JsonElement& value, std::string_view what) {
  std::string_view result;
  if (value.get_string().get(result) != simdjson::SUCCESS) {
    refuse(what, value, "a text");
  }
  return result;
}

std::int64_t as_integer(const JsonElement& value, std::string_view what) {
  std::int64_t result = 0;
  if (value.get_int64().get(result) != simdjson::SUCCESS) {
    fail(ErrorCode::kInvalidArgument, "{}: got {}, expected a whole number of 64 bits", what,
         describe_json(value));
  }
  return result;
}

double as_number(const JsonElement& value, std::string_view what) {
  double result = 0;
  if (value.get_double().get(result) != simdjson::SUCCESS) {
    refuse(what, value, "a number");
  }
  return result;
}

bool as_truth(const JsonElement& value, std::string_view what) {
  bool result = false;
  if (value.get_bool().get(result) != simdjson::SUCCESS) {
    refuse(what, value, "true or false");
  }
  return result;
}

std::string describe_json(const JsonElement& value) {
  if (value.is_int64()) {
    return format("{}", value.get_int64().value_unsafe());
  }
  if (value.is_uint64()) {
    return format("{}", value.get_uint64().value_unsafe());
  }
  if (value.is_double()) {
    return format("{}", value.get_double().value_unsafe());
  }
  if (value.is_bool()) {
    return value.get_bool().value_unsafe() ? "true" : "false";
  }
  return std::string(kind_of(value));
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 200;
  return std::string(text.substr(0, kMost)) + (text.size() > kMost ? "…" : "");
}

}  // namespace onnxop
