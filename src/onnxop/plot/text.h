#pragma once
// Text of unknown origin made fit to be shown. Pure functions.

#include <cstddef>
#include <string>
#include <string_view>

namespace onnxop {

/// What is no UTF-8, and what XML does not allow, becomes U+FFFD; control characters become spaces.
std::u32string shown_text(std::string_view text);

/// At most `most` characters, the last of them an ellipsis where something was cut.
std::u32string cut_text(std::u32string text, std::size_t most);

std::string to_utf8(std::u32string_view text);

/// Columns of a terminal that the text takes: 0 for combining characters, 2 for wide ones.
std::size_t columns_of(std::u32string_view text);

}  // namespace onnxop
