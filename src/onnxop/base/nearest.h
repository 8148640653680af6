#pragma once
// "Did you mean …": the known word nearest to a misspelt one.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace onnxop {

/// The candidate with the smallest edit distance (insert, delete, change, swap of neighbours; upper
/// and lower case are the same), the first of equals; none when every candidate is further than a
/// third of the longer word's length + 1.
std::optional<std::string> nearest_word(std::string_view word,
                                        std::span<const std::string_view> candidates);

}  // namespace onnxop
