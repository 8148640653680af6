#include "onnxop/plot/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "onnxop/base/utf8.h"

namespace onnxop {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kEllipsis = 0x2026;

/// U+FFFE, U+FFFF and the like, which are no characters and not allowed in XML.
bool is_noncharacter(char32_t c) {
  return (c & 0xFFFEU) == 0xFFFE;
}

/// Of the bytes of one character in UTF-8.
char32_t decoded(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const std::size_t more = bytes.size() - 1;
  char32_t c = more == 0 ? byte(0) : byte(0) & (0x3FU >> more);
  for (std::size_t i = 1; i <= more; ++i) {
    c = c << 6U | (byte(i) & 0x3FU);
  }
  return c;
}

/// Directions turned over would show a text as another one.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

template <std::size_t N>
bool in_ranges(char32_t c, const std::array<std::pair<char32_t, char32_t>, N>& ranges) {
  return std::ranges::any_of(
      ranges, [c](const auto& range) { return c >= range.first && c <= range.second; });
}

}  // namespace

std::u32string shown_text(std::string_view text) {
  std::u32string shown;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char32_t c = length == 0 ? kReplacement : decoded(text.substr(0, length));
    shown.push_back(is_noncharacter(c) ? kReplacement : is_control(c) ? U' ' : c);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return shown;
}

std::u32string cut_text(std::u32string text, std::size_t most) {
  if (text.size() > most) {
    text.resize(std::max<std::size_t>(most, 1) - 1);
    text.push_back(kEllipsis);
  }
  return text;
}

std::string to_utf8(std::u32string_view text) {
  std::string utf8;
  const auto put = [&](char32_t byte) { utf8.push_back(static_cast<char>(byte)); };
  for (const char32_t c : text) {
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xC0U | c >> 6U);
      put(0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
      put(0xE0U | c >> 12U);
      put(0x80U | (c >> 6U & 0x3FU));
      put(0x80U | (c & 0x3FU));
    } else {
      put(0xF0U | c >> 18U);
      put(0x80U | (c >> 12U & 0x3FU));
      put(0x80U | (c >> 6U & 0x3FU));
      put(0x80U | (c & 0x3FU));
    }
  }
  return utf8;
}

std::size_t columns_of(std::u32string_view text) {
  constexpr std::array<std::pair<char32_t, char32_t>, 4> kNone{
      {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
  constexpr std::array<std::pair<char32_t, char32_t>, 7> kWide{{{0x1100, 0x115F},
                                                                {0x2E80, 0xA4CF},
                                                                {0xAC00, 0xD7A3},
                                                                {0xF900, 0xFAFF},
                                                                {0xFF00, 0xFF60},
                                                                {0x1F300, 0x1FAFF},
                                                                {0x20000, 0x3FFFD}}};
  std::size_t columns = 0;
  for (const char32_t c : text) {
    columns += in_ranges(c, kNone) ? 0 : in_ranges(c, kWide) ? 2 : 1;
  }
  return columns;
}

}  // namespace onnxop
