#pragma once
// What can be drawn: plain values, and the one call for each form of picture. The same values give
// the same bytes. Every function may be called from any thread.
//
// Names and titles may hold anything: what is no UTF-8 is shown as U+FFFD, control characters as
// spaces, long ones are cut. SVG holds no scripts and refers to nothing outside itself.

#include <cstdint>
#include <string>
#include <vector>

#include "onnxop/base/file.h"

namespace onnxop {

struct PlotPoint {
  double x = 0;
  double y = 0;  // no number, or infinite: a gap in the line
};

struct Series {
  std::string name;
  std::vector<PlotPoint>
      points;  // sorted by x where they are not; those without a finite x are left out
};

/// Lines over a common x. Series of more points than can be seen are thinned, so that the lowest
/// and the highest of each pixel column stay.
struct LineChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Series> series;
  bool log_y = false;  // values of 0 and below are gaps then
};

/// Counts, a row for each true class, a column for each predicted one. Colours go by the share of
/// the row. More classes than fit are drawn in groups of neighbours, with their sums.
struct ConfusionMatrix {
  std::string title;
  std::vector<std::string> labels;
  std::vector<std::vector<std::int64_t>> counts;  // labels x labels, none below 0
};

struct PictureSize {
  int width = 800;   // CSS pixels, 200 to 10,000
  int height = 480;  // likewise
  double scale = 2;  // pixels of the PNG for each of them, above 0 and at most 4
};

/// What a picture of characters has to keep to.
struct TextCanvas {
  int columns = 80;      // of the whole picture; fewer than 40 count as 40
  int rows = 20;         // likewise; fewer than 10 count as 10
  bool unicode = false;  // braille and box characters; else ASCII
  bool color = false;    // ANSI colours
};

/// All throw Error{kInvalidArgument} for a size out of range, and for a matrix that is not square,
/// has another number of labels, or a count below 0.
std::string chart_svg(const LineChart& chart, const PictureSize& size = {});
std::string chart_svg(const ConfusionMatrix& matrix, const PictureSize& size = {});
Bytes chart_png(const LineChart& chart, const PictureSize& size = {});
Bytes chart_png(const ConfusionMatrix& matrix, const PictureSize& size = {});
std::string chart_text(const LineChart& chart, const TextCanvas& canvas);
std::string chart_text(const ConfusionMatrix& matrix, const TextCanvas& wanted);

}  // namespace onnxop
