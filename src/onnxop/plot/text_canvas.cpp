#include "onnxop/plot/text_canvas.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "onnxop/plot/text.h"

namespace onnxop {

DotField::DotField(int columns, int rows, bool braille)
    : columns_(columns),
      rows_(rows),
      across_(braille ? 2 : 1),
      down_(braille ? 4 : 1),
      cells_(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)) {}

void DotField::dot(int x, int y, std::size_t series) {
  if (x < 0 || y < 0 || x >= dots_across() || y >= dots_down()) {
    return;
  }
  // Of the character U+2800: the bits of its left and its right column of dots, from the top.
  constexpr std::array<std::array<unsigned, 4>, 2> kBits{
      {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}};
  Cell& cell = cells_[index_of(y / down_, x / across_)];
  cell.dots |= kBits[static_cast<std::size_t>(x % across_)][static_cast<std::size_t>(y % down_)];
  cell.series = series;
}

void DotField::line(int x0, int y0, int x1, int y1, std::size_t series) {
  const int dx = std::abs(x1 - x0);
  const int dy = -std::abs(y1 - y0);
  const int step_x = x0 < x1 ? 1 : -1;
  const int step_y = y0 < y1 ? 1 : -1;
  for (int error = dx + dy;;) {
    dot(x0, y0, series);
    if (x0 == x1 && y0 == y1) {
      return;
    }
    const int twice = 2 * error;
    if (twice >= dy) {
      error += dy;
      x0 += step_x;
    }
    if (twice <= dx) {
      error += dx;
      y0 += step_y;
    }
  }
}

std::u32string DotField::row(int number, const TextCanvas& canvas) const {
  constexpr char32_t kBraille = 0x2800;
  std::u32string text;
  for (int column = 0; column < columns_; ++column) {
    const Cell& cell = cells_[index_of(number, column)];
    if (cell.dots == 0) {
      text.push_back(U' ');
      continue;
    }
    const char32_t shown =
        across_ == 1 ? mark_of(cell.series, canvas.unicode) : kBraille + cell.dots;
    text += colored({&shown, 1}, cell.series, canvas);
  }
  return text;
}

char32_t mark_of(std::size_t series, bool unicode) {
  constexpr std::u32string_view kUnicode = U"●○■□▲△◆◇";
  constexpr std::u32string_view kAscii = U"*+ox#@%&";
  return unicode ? kUnicode[series % kUnicode.size()] : kAscii[series % kAscii.size()];
}

std::u32string colored(std::u32string_view text, std::size_t series, const TextCanvas& canvas) {
  if (!canvas.color) {
    return std::u32string(text);
  }
  // Of the 256 colours, those that are seen on black and on white.
  constexpr std::array<std::u32string_view, 8> kColors{U"33",  U"208", U"35",  U"170",
                                                       U"178", U"99",  U"203", U"245"};
  std::u32string all = U"\x1b[38;5;";
  all += kColors[series % kColors.size()];
  all += U"m";
  all += text;
  return all + U"\x1b[0m";
}

std::u32string padded_left(std::u32string_view text, std::size_t columns) {
  const std::size_t wide = columns_of(text);
  return std::u32string(columns > wide ? columns - wide : 0, U' ') + std::u32string(text);
}

std::u32string padded_right(std::u32string_view text, std::size_t columns) {
  const std::size_t wide = columns_of(text);
  return std::u32string(text) + std::u32string(columns > wide ? columns - wide : 0, U' ');
}

std::u32string for_canvas(std::u32string text, const TextCanvas& canvas) {
  if (!canvas.unicode) {
    for (char32_t& c : text) {
      c = c < 0x80 ? c : c == U'…' ? U'~' : U'?';
    }
  }
  return text;
}

}  // namespace onnxop
