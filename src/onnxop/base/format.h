#pragma once
// Text formatting for all rooms; the library behind it is named here only.

#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace onnxop {

template <typename... Args>
using FormatString = fmt::format_string<Args...>;

/// An object, not a function, so that a call with std:: arguments does not find std::format too.
struct FormatFunction {
  template <typename... Args>
  std::string operator()(FormatString<Args...> text, Args&&... args) const {
    return fmt::format(text, std::forward<Args>(args)...);
  }
};

/// format("{} of {}", 3, 4) -> "3 of 4"; the text is checked when compiled.
inline constexpr FormatFunction format;

using fmt::join;

}  // namespace onnxop
