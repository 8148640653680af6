#include "onnxop/plot/thin.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace onnxop {
namespace {

constexpr double kLargest = 1e300;    // so that no difference of two overflows
constexpr double kSmallest = 1e-300;  // that has a place on a logarithmic axis
constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

/// What stays of the points [begin, end), all of one column.
void keep_extremes(const std::vector<PlotPoint>& points, std::size_t begin, std::size_t end,
                   std::vector<PlotPoint>& kept) {
  std::array<std::size_t, 4> stay{end, end, end, end};
  auto& [first, lowest, highest, last] = stay;
  for (std::size_t i = begin; i < end; ++i) {
    if (std::isnan(points[i].y)) {
      continue;
    }
    if (first == end) {
      stay = {i, i, i, i};
    }
    lowest = points[i].y < points[lowest].y ? i : lowest;
    highest = points[i].y > points[highest].y ? i : highest;
    last = i;
  }
  if (first == end) {
    kept.push_back(points[begin]);
    return;
  }
  std::ranges::sort(stay);
  const auto unique_end = std::unique(stay.begin(), stay.end());
  for (auto i = stay.begin(); i != unique_end; ++i) {
    kept.push_back(points[*i]);
  }
}

}  // namespace

std::vector<PlotPoint> drawable_points(const std::vector<PlotPoint>& points, bool log_y) {
  std::vector<PlotPoint> drawable;
  drawable.reserve(points.size());
  for (const auto& [x, y] : points) {
    if (std::isfinite(x)) {
      const bool can = std::isfinite(y) && (!log_y || y > 0);
      const double low = log_y ? kSmallest : -kLargest;
      drawable.push_back(
          {std::clamp(x, -kLargest, kLargest), can ? std::clamp(y, low, kLargest) : kGap});
    }
  }
  std::ranges::stable_sort(drawable, {}, &PlotPoint::x);
  return drawable;
}

std::vector<PlotPoint> thin_points(const std::vector<PlotPoint>& points, std::size_t columns) {
  if (points.size() <= 4 * columns) {
    return points;
  }
  const double low = points.front().x;
  const double range = points.back().x - low;
  const auto column = [&](const PlotPoint& point) {
    const double place = range > 0 ? (point.x - low) / range : 0;
    return static_cast<std::size_t>(place * static_cast<double>(columns));
  };
  std::vector<PlotPoint> kept;
  for (std::size_t begin = 0; begin < points.size();) {
    std::size_t end = begin + 1;
    while (end < points.size() && column(points[end]) == column(points[begin])) {
      ++end;
    }
    keep_extremes(points, begin, end, kept);
    begin = end;
  }
  return kept;
}

std::vector<std::vector<PlotPoint>> split_at_gaps(const std::vector<PlotPoint>& points) {
  std::vector<std::vector<PlotPoint>> parts;
  bool open = false;
  for (const auto& point : points) {
    if (std::isnan(point.y)) {
      open = false;
      continue;
    }
    if (!open) {
      parts.emplace_back();
      open = true;
    }
    parts.back().push_back(point);
  }
  return parts;
}

}  // namespace onnxop
