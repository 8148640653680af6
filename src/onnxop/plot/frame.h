#pragma once
// What a line chart comes down to in every form of picture: points that can be drawn, and two axes
// that hold them. And the groups of classes in which a large confusion matrix is drawn.

#include <string>
#include <vector>

#include "onnxop/plot/axis.h"
#include "onnxop/plot/chart.h"

namespace onnxop {

struct ChartFrame {
  std::vector<std::vector<PlotPoint>> series;  // drawable_points() of each
  bool empty = true;                           // there is no point to draw
  Axis x, y;                                   // 0 to 1 where there is none
};

ChartFrame make_frame(const LineChart& chart, int x_ticks, int y_ticks);

/// The matrix with at most `most` rows, each the sum of `group` neighbouring classes.
struct GroupedMatrix {
  std::size_t group = 1;
  std::vector<std::u32string> labels;  // of a group: "first…last"
  std::vector<std::vector<std::int64_t>> counts;

  /// How much of the row lies in the column, 0 to 1; 0 for an empty row.
  double share(std::size_t row, std::size_t column) const;
};

/// Throws Error{kInvalidArgument} as chart_svg() does.
GroupedMatrix group_classes(const ConfusionMatrix& matrix, std::size_t most);

}  // namespace onnxop
