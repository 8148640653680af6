#pragma once
// Is text UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing beyond U+10FFFF)? Pure; any
// thread.

#include <cstddef>
#include <optional>
#include <string_view>

namespace onnxop {

/// The bytes of the character that `text` begins with: 1 to 4; 0: it begins with none.
std::size_t utf8_length(std::string_view text);

/// How many characters `text` has; none when it is no UTF-8.
std::optional<std::size_t> count_utf8_characters(std::string_view text);

bool is_utf8(std::string_view text);

/// The longest beginning of at most `max_bytes` that does not cut a character.
std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes);

}  // namespace onnxop
