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

void check_postgresql_url(std::string_view url) {
  const auto scheme_end = url.find(kSchemeEnd);
  const std::string_view scheme = url.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos || (scheme != "postgresql" && scheme != "postgres")) {
    fail(ErrorCode::kInvalidArgument,
         "the store's URL: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
  }
  const std::string_view rest = url.substr(scheme_end + kSchemeEnd.size());
  const auto user_end = rest.find('@');
  const std::string_view user = user_end == std::string_view::npos ? "" : rest.substr(0, user_end);
  if (user.find_first_of("/?#[]") != std::string_view::npos ||
      rest.substr(user.size()).find('@', 1) != std::string_view::npos) {
    fail(ErrorCode::kInvalidArgument,
         "the store's URL: one '@', and none of /?#[] before it: in a user, a password or a "
         "parameter they are written %40, %2F, %3F, %23, %5B, %5D");
  }
  const auto is_hex = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  for (std::size_t i = 0; i < url.size(); ++i) {
    const bool control = static_cast<unsigned char>(url[i]) <= ' ';
    const bool broken = url[i] == '%' && (i + 2 >= url.size() || !is_hex(url[i + 1]) ||
                                          !is_hex(url[i + 2]) || url.substr(i, 3) == "%00");
    if (control || broken) {
      fail(ErrorCode::kInvalidArgument,
           "the store's URL: '%' without the two hexadecimal digits of a sign, or a space, at "
           "position {} (a '%' itself is written %25, a space %20)",
           i + 1);
    }
  }
}

StoreLocation parse_store_location(std::string_view text,
                                   const std::filesystem::path& files_folder) {
  const auto scheme_end = text.find(kSchemeEnd);
  const std::string_view scheme =
      scheme_end == std::string_view::npos ? std::string_view() : text.substr(0, scheme_end);
  if (scheme == "postgresql" || scheme == "postgres") {
    check_postgresql_url(text);
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
