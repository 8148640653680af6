#pragma once
// Base64 (RFC 4648, the standard alphabet with padding). Pure functions.

#include <optional>
#include <string>
#include <string_view>

namespace onnxop {

std::string to_base64(std::string_view bytes);

/// None when `text` is not exactly what to_base64 makes.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace onnxop
