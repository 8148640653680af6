#pragma once
// Names for runs and models that came without one.

#include <cstddef>
#include <string>

namespace onnxop {

/// "quiet-heron-417": two words and a number to 999. Not unique.
std::string made_up_name();

/// That many random hexadecimal digits, from the system's source; an even number up to 64.
std::string random_hex(std::size_t digits);

}  // namespace onnxop
