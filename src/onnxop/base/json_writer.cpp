#include "onnxop/base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "onnxop/base/format.h"
#include "onnxop/base/utf8.h"

namespace onnxop {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

void append_escape(std::string& json, char c) {
  switch (c) {
    case '"':
      json += "\\\"";
      return;
    case '\\':
      json += "\\\\";
      return;
    case '\n':
      json += "\\n";
      return;
    case '\r':
      json += "\\r";
      return;
    case '\t':
      json += "\\t";
      return;
    default:
      json += format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
}

template <typename T>
void append_digits(std::string& json, T value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  json.append(digits.data(), end);
}

}  // namespace

void JsonWriter::separate() {
  if (comma_) {
    json_ += ',';
  }
  comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  json_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  json_ += bracket;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  text(name);
  json_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  json_ += '"';
  while (!value.empty()) {
    std::size_t plain = 0;
    while (plain < value.size() && is_plain(value[plain])) {
      ++plain;
    }
    json_.append(value.substr(0, plain));
    value.remove_prefix(plain);
    if (value.empty()) {
      break;
    }
    std::size_t length = 1;
    if (static_cast<unsigned char>(value[0]) < 0x80) {
      append_escape(json_, value[0]);
    } else if (const std::size_t found = utf8_length(value); found > 0) {
      length = found;
      json_.append(value.substr(0, length));
    } else {
      json_ += kReplacement;
    }
    value.remove_prefix(length);
  }
  json_ += '"';
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  append_digits(json_, value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  if (std::isnan(value)) {
    return text("NaN");
  }
  if (std::isinf(value)) {
    return text(value > 0 ? "Infinity" : "-Infinity");
  }
  separate();
  append_digits(json_, value);
  return *this;
}

JsonWriter& JsonWriter::truth(bool value) {
  separate();
  json_ += value ? "true" : "false";
  return *this;
}

}  // namespace onnxop
