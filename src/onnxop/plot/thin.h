#pragma once
// Long series made short without losing what can be seen. Pure functions.

#include <cstddef>
#include <vector>

#include "onnxop/plot/chart.h"

namespace onnxop {

/// Sorted by x; without points whose x is not finite; y that cannot be drawn (not finite, on a
/// logarithmic axis not above 0) is NaN; values are within +-1e300.
std::vector<PlotPoint> drawable_points(const std::vector<PlotPoint>& points, bool log_y);

/// Of each of `columns` equal parts of the range of x at most the first, the lowest, the highest
/// and the last point, in order; of a part with gaps only, one gap. As they are when there are no
/// more than 4 points for each column. `points` as drawable_points() gives them.
std::vector<PlotPoint> thin_points(const std::vector<PlotPoint>& points, std::size_t columns);

/// The points between gaps.
std::vector<std::vector<PlotPoint>> split_at_gaps(const std::vector<PlotPoint>& points);

}  // namespace onnxop
