#pragma once
// Text formatting for all rooms; the library behind it is named here only.

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace onnxop {

using fmt::format;
using fmt::join;

template <typename... Args>
using FormatString = fmt::format_string<Args...>;

}  // namespace onnxop
