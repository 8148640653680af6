#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/base/utf8.h"
#include "onnxop/registry/artifacts.h"

namespace onnxop {
namespace {

constexpr std::size_t kLongestPath = 2600;  // an index entry of PostgreSQL has 2,704 bytes

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// "%2e" and, encoded once more, "%252e".
bool is_percent_encoded(std::string_view part) {
  for (std::size_t i = 0; i + 2 < part.size(); ++i) {
    if (part[i] == '%' && is_hex_digit(part[i + 1]) && is_hex_digit(part[i + 2])) {
      return true;
    }
  }
  return false;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "C:", "file:", "mlflow-artifacts:" at the beginning (RFC 3986); a time such as "12:30" is none.
bool begins_with_scheme(std::string_view part) {
  const auto may_be_in_scheme = [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  const auto end = std::find_if_not(part.begin(), part.end(), may_be_in_scheme);
  return is_letter(part.front()) && end != part.end() && *end == ':';
}

// Text of `path` for a message: whole, but for what a terminal would take for commands.
std::string shown(std::string_view path) {
  std::string text;
  for (const char c : path.substr(0, 200)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      text += format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return path.size() > 200 ? text + "…" : text;
}

[[noreturn]] void refuse(std::string_view path, std::string_view why) {
  fail(ErrorCode::kInvalidArgument, "'{}' is no artifact's path: {}", shown(path), why);
}

void check_characters(std::string_view path) {
  if (path.size() > kLongestPath) {
    refuse(path, format("{} bytes, expected at most {}", path.size(), kLongestPath));
  }
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      refuse(path, "a control character");
    }
  }
  if (!is_utf8(path)) {
    refuse(path, "it is no UTF-8");
  }
  if (path.find('\\') != std::string_view::npos) {
    refuse(path, "a backslash; parts are separated by '/'");
  }
  if (path.starts_with('/')) {
    refuse(path, "expected a relative one");
  }
}

void check_part(std::string_view path, std::string_view part, bool first) {
  if (part == "." || part == "..") {
    refuse(path, format("'{}' as a part", part));
  }
  if (is_percent_encoded(part)) {
    refuse(path, format("'{}' is percent-encoded still", shown(part)));
  }
  if (first && begins_with_scheme(part)) {
    refuse(path, "it begins with a drive or a scheme");
  }
}

}  // namespace

std::string check_artifact_path(std::string_view path) {
  check_characters(path);
  std::string result;
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (part.empty()) {
      continue;
    }
    check_part(path, part, result.empty());
    result += result.empty() ? "" : "/";
    result += part;
  }
  if (result.empty()) {
    refuse(path, "it is empty");
  }
  return result;
}

}  // namespace onnxop
