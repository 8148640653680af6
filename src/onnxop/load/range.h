#pragma once
// Ranges of numbers as the command line writes them.

#include <string_view>
#include <vector>

namespace onnxop {

/// "8" is 8; "1,4,16" those; "1:64:x2" 1, 2, 4, … up to 64; "10:50:20" 10, 30, 50; "1:3" 1, 2, 3.
/// Throws Error{kInvalidArgument} for other texts, numbers below 1 and more than 1000 of them.
std::vector<int> parse_range(std::string_view text);

}  // namespace onnxop
