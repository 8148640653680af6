#include "onnxop/base/nearest.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <vector>

namespace onnxop {
namespace {

// Optimal string alignment distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> nearest_word(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongest = 128;
  std::optional<std::string> nearest;
  std::size_t smallest = SIZE_MAX;
  if (word.size() > kLongest) {
    return nearest;
  }
  for (const auto candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate.substr(0, kLongest));
    if (distance < smallest && distance <= std::max(word.size(), candidate.size()) / 3 + 1) {
      smallest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace onnxop
