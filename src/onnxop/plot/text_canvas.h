#pragma once
// Cells of characters to draw on: dots of braille, or one mark a cell. One thread at a time.

#include <cstddef>
#include <string>
#include <vector>

#include "onnxop/plot/chart.h"

namespace onnxop {

/// A field of lines. Dots are counted from the top left.
class DotField {
 public:
  /// With `braille`, a cell is 2 x 4 dots, else one dot, shown as the mark of the latest series.
  DotField(int columns, int rows, bool braille);

  int dots_across() const { return columns_ * across_; }
  int dots_down() const { return rows_ * down_; }

  /// Dots outside are left out.
  void line(int x0, int y0, int x1, int y1, std::size_t series);

  /// What stands in a row; with `color`, in the colours of the series.
  std::u32string row(int number, const TextCanvas& canvas) const;

 private:
  struct Cell {
    unsigned dots = 0;
    std::size_t series = 0;
  };

  void dot(int x, int y, std::size_t series);
  std::size_t index_of(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) +
           static_cast<std::size_t>(column);
  }

  int columns_, rows_;
  int across_, down_;  // dots of a cell
  std::vector<Cell> cells_;
};

/// What a series is drawn with when each cell has one mark.
char32_t mark_of(std::size_t series, bool unicode);

/// `text` in the series' colour.
std::u32string colored(std::u32string_view text, std::size_t series, const TextCanvas& canvas);

/// Spaces in front, or behind, up to `columns`.
std::u32string padded_left(std::u32string_view text, std::size_t columns);
std::u32string padded_right(std::u32string_view text, std::size_t columns);

/// As it is, or with what is no ASCII as `?`, the ellipsis as `~`.
std::u32string for_canvas(std::u32string text, const TextCanvas& canvas);

}  // namespace onnxop
