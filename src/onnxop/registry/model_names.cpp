#include "onnxop/registry/model_names.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "onnxop/base/error.h"
#include "onnxop/base/utf8.h"

namespace onnxop {
namespace {

constexpr std::size_t kLongestModelName = 256;
constexpr std::size_t kLongestAlias = 128;
constexpr std::size_t kLongestFolder = 200;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

bool is_plain(char c) {
  return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

}  // namespace

void check_model_name(std::string_view name) {
  const auto forbidden = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '/' || c == ':' || c == '@' || c == '\\';
  };
  if (name.empty() || name.size() > kLongestModelName || name == "." || name == ".." ||
      std::any_of(name.begin(), name.end(), forbidden) || !is_utf8(name)) {
    fail(ErrorCode::kInvalidArgument,
         "'{}' is no model name: expected 1 to {} bytes of UTF-8 without control characters, '/', "
         "':', '@' and '\\', and neither '.' nor '..'",
         name, kLongestModelName);
  }
}

void check_alias(std::string_view alias) {
  if (alias.empty() || alias.size() > kLongestAlias || !is_letter_or_digit(alias.front()) ||
      !std::all_of(alias.begin(), alias.end(), is_plain)) {
    fail(ErrorCode::kInvalidArgument,
         "'{}' is no alias: expected 1 to {} letters, digits, '.', '_' or '-', a letter or digit "
         "first",
         alias, kLongestAlias);
  }
}

void check_alias_to_set(std::string_view alias) {
  check_alias(alias);
  const std::string text = lower(alias);
  if (text == kLatestAlias) {
    fail(ErrorCode::kInvalidArgument,
         "the alias '{}' cannot be set: it always means the newest version", alias);
  }
  if (text.size() > 1 && text.front() == 'v' &&
      std::all_of(text.begin() + 1, text.end(), is_digit)) {
    fail(ErrorCode::kInvalidArgument,
         "the alias '{}' cannot be set: it looks like a version's number", alias);
  }
}

std::string canonical_stage(std::string_view stage) {
  static constexpr std::array<std::string_view, 4> kStages = {kNoStage, "Staging", "Production",
                                                              "Archived"};
  const std::string wanted = lower(stage);
  for (const std::string_view known : kStages) {
    if (lower(known) == wanted) {
      return std::string(known);
    }
  }
  fail(ErrorCode::kInvalidArgument, "'{}' is no stage; there are: {}", stage, join(kStages, ", "));
}

ModelReference parse_model_reference(std::string_view text) {
  const auto at = text.find_first_of(":@");
  ModelReference reference;
  reference.name = text.substr(0, at);
  check_model_name(reference.name);
  if (at == std::string_view::npos) {
    return reference;
  }
  const std::string_view rest = text.substr(at + 1);
  if (text[at] == '@') {
    check_alias(rest);
    reference.alias = rest;
    return reference;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || end != rest.data() + rest.size() || number < 1) {
    fail(ErrorCode::kInvalidArgument, "model '{}': the version '{}' is no number from 1 on", text,
         rest);
  }
  reference.version = number;
  return reference;
}

std::string folder_for_model(std::string_view name) {
  std::string folder;
  for (const char c : name) {
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    if (ascii && (!is_plain(c) || (c == '.' && folder.empty()))) {
      folder += format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      folder += c;
    }
  }
  return std::string(utf8_prefix(folder, kLongestFolder));
}

}  // namespace onnxop
