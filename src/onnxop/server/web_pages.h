#pragma once
// The files of web/, built into the program.

#include <string_view>

namespace onnxop {

/// The content of web/NAME. Throws Error{kInternal} for a name that is not there.
std::string_view web_page(std::string_view name);

}  // namespace onnxop
