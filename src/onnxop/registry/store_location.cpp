#include "onnxop/registry/store_location.h"

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::string_view kSchemeEnd = "://";

bool is_scheme(std::string_view word) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !word.empty() && is_letter(word[0]) &&
         word.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.") ==
             std::string_view::npos;
}

}  // namespace

std::string StoreLocation::text() const {
  if (!is_postgresql()) {
    return folder.native();
  }
  return without_password(database_url);
}

std::string without_password(std::string_view url) {
  const auto scheme_end = url.find(kSchemeEnd);
  if (scheme_end == std::string_view::npos) {
    return std::string(url);
  }
  const auto start = scheme_end + kSchemeEnd.size();
  std::string result(url.substr(0, start));
  // A password that was not encoded may hold any of "/?#:@", so all up to the last '@' goes.
  const auto user_end = url.rfind('@');
  if (user_end != std::string_view::npos && user_end >= start) {
    const std::string_view user_info = url.substr(start, user_end - start);
    result += user_info.substr(0, user_info.find(':'));
    result += url.substr(user_end, url.find('?', user_end) - user_end);
  } else {
    result += url.substr(start, url.find('?', start) - start);
  }
  return result;
}

StoreLocation parse_store_location(std::string_view text,
                                   const std::filesystem::path& files_folder) {
  const auto scheme_end = text.find(kSchemeEnd);
  const std::string_view scheme =
      scheme_end == std::string_view::npos ? std::string_view() : text.substr(0, scheme_end);
  if (scheme == "postgresql" || scheme == "postgres") {
    return {std::string(text), files_folder};
  }
  if (is_scheme(scheme)) {
    fail(ErrorCode::kInvalidArgument,
         "the store '{}': expected a folder or a URL that begins with postgresql://",
         without_password(text));
  }
  return std::filesystem::path(text);
}

}  // namespace onnxop
