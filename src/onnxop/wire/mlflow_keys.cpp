#include "onnxop/wire/mlflow_keys.h"

#include <algorithm>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

/// Of ASCII; all else is taken for letters.
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_unambiguous_path(std::string_view path) {
  while (true) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

void check_mlflow_key(std::string_view key, std::string_view what) {
  constexpr std::string_view kOthers = "-. :/";
  const bool plain = std::all_of(key.begin(), key.end(), [&](char c) {
    return is_word(c) || kOthers.find(c) != std::string_view::npos;
  });
  if (!plain || !is_unambiguous_path(key)) {
    fail(ErrorCode::kInvalidArgument,
         "Invalid value '{}' for parameter '{}' supplied: names may only contain alphanumerics, "
         "underscores, dashes, periods, spaces, colons and slashes, and as a path neither '//' nor "
         "'.' or '..' as a part",
         key.substr(0, 250), what);
  }
}

void check_mlflow_alias(std::string_view alias) {
  if (!std::all_of(alias.begin(), alias.end(), [](char c) { return is_word(c) || c == '-'; })) {
    fail(ErrorCode::kInvalidArgument,
         "Invalid value '{}' for parameter 'alias' supplied: expected alphanumerics, underscores "
         "and "
         "dashes",
         alias.substr(0, 250));
  }
}

}  // namespace onnxop
