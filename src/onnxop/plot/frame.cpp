#include "onnxop/plot/frame.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "onnxop/base/error.h"
#include "onnxop/plot/text.h"
#include "onnxop/plot/thin.h"

namespace onnxop {
namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

void check_matrix(const ConfusionMatrix& matrix) {
  if (matrix.labels.empty() || matrix.counts.size() != matrix.labels.size()) {
    fail(ErrorCode::kInvalidArgument, "a confusion matrix of {} rows with {} labels",
         matrix.counts.size(), matrix.labels.size());
  }
  for (std::size_t row = 0; row < matrix.counts.size(); ++row) {
    if (matrix.counts[row].size() != matrix.labels.size()) {
      fail(ErrorCode::kInvalidArgument,
           "row {} of a confusion matrix has {} columns, expected {}, one for each label", row,
           matrix.counts[row].size(), matrix.labels.size());
    }
    for (const std::int64_t count : matrix.counts[row]) {
      if (count < 0) {
        fail(ErrorCode::kInvalidArgument,
             "row {} of a confusion matrix has a count of {}, expected 0 or more", row, count);
      }
    }
  }
}

}  // namespace

ChartFrame make_frame(const LineChart& chart, int x_ticks, int y_ticks) {
  constexpr double kLargestWhole = 1e15;
  ChartFrame frame;
  Range x;
  Range y;
  bool whole = true;
  for (const auto& series : chart.series) {
    frame.series.push_back(drawable_points(series.points, chart.log_y));
    for (const auto& point : frame.series.back()) {
      if (!std::isnan(point.y)) {
        x.add(point.x);
        y.add(point.y);
        whole = whole && point.x == std::floor(point.x) && std::abs(point.x) < kLargestWhole;
      }
    }
  }
  frame.empty = x.low > x.high;
  if (frame.empty) {
    x = {0, 1};
    y = {chart.log_y ? 0.1 : 0, 1};
  }
  frame.x = make_axis(x.low, x.high, whole ? AxisKind::kWhole : AxisKind::kLinear, x_ticks);
  frame.y = make_axis(y.low, y.high, chart.log_y ? AxisKind::kLog : AxisKind::kLinear, y_ticks);
  return frame;
}

double GroupedMatrix::share(std::size_t row, std::size_t column) const {
  double sum = 0;
  for (const std::int64_t count : counts[row]) {
    sum += static_cast<double>(count);
  }
  return sum > 0 ? static_cast<double>(counts[row][column]) / sum : 0;
}

GroupedMatrix group_classes(const ConfusionMatrix& matrix, std::size_t most) {
  check_matrix(matrix);
  const std::size_t classes = matrix.labels.size();
  GroupedMatrix grouped;
  grouped.group = (classes + most - 1) / most;
  const std::size_t groups = (classes + grouped.group - 1) / grouped.group;
  grouped.counts.assign(groups, std::vector<std::int64_t>(groups));
  for (std::size_t row = 0; row < classes; ++row) {
    for (std::size_t column = 0; column < classes; ++column) {
      grouped.counts[row / grouped.group][column / grouped.group] += matrix.counts[row][column];
    }
  }
  for (std::size_t i = 0; i < groups; ++i) {
    const std::size_t first = i * grouped.group;
    const std::size_t last = std::min(classes, first + grouped.group) - 1;
    std::u32string label = shown_text(matrix.labels[first]);
    if (last > first) {
      label += U"…" + shown_text(matrix.labels[last]);
    }
    grouped.labels.push_back(std::move(label));
  }
  return grouped;
}

}  // namespace onnxop
