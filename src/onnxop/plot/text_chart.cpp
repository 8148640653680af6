// A line chart and a confusion matrix as lines of characters.

#include <algorithm>
#include <cmath>

#include "onnxop/base/format.h"
#include "onnxop/plot/chart.h"
#include "onnxop/plot/frame.h"
#include "onnxop/plot/text.h"
#include "onnxop/plot/text_canvas.h"
#include "onnxop/plot/thin.h"

namespace onnxop {
namespace {

constexpr int kLeastColumns = 40;
constexpr int kLeastRows = 10;
constexpr std::size_t kLongestName = 30;

std::string lines_text(const std::vector<std::u32string>& lines) {
  std::u32string text;
  for (const auto& line : lines) {
    const auto end = line.find_last_not_of(U' ');
    text += line.substr(0, end == std::u32string::npos ? 0 : end + 1);
    text += U'\n';
  }
  return to_utf8(text);
}

TextCanvas at_least(TextCanvas canvas) {
  canvas.columns = std::max(canvas.columns, kLeastColumns);
  canvas.rows = std::max(canvas.rows, kLeastRows);
  return canvas;
}

class TextChart {
 public:
  TextChart(const LineChart& chart, const TextCanvas& canvas)
      : chart_(chart),
        canvas_(at_least(canvas)),
        frame_(make_frame(chart, canvas_.columns / 12 + 1, canvas_.rows / 4 + 1)),
        braille_(canvas_.unicode && (canvas_.color || chart.series.size() < 2)) {
    for (const auto& tick : frame_.y.ticks) {
      label_columns_ = std::max(label_columns_, tick.label.size());
    }
  }

  std::string run() {
    std::vector<std::u32string> lines = head();
    const int columns = canvas_.columns - static_cast<int>(label_columns_) - 2;
    const int rows = std::max(4, canvas_.rows - static_cast<int>(lines.size()) - 2);
    DotField field(columns, rows, braille_);
    for (std::size_t i = 0; i < frame_.series.size(); ++i) {
      draw_series(field, i);
    }
    add_field(field, columns, rows, lines);
    add_x_axis(columns, lines);
    return lines_text(lines);
  }

 private:
  std::u32string shown(std::string_view text) const {
    return for_canvas(cut_text(shown_text(text), static_cast<std::size_t>(canvas_.columns)),
                      canvas_);
  }

  /// Title, and the names of the series in lines.
  std::vector<std::u32string> head() const {
    std::vector<std::u32string> lines;
    if (!chart_.title.empty()) {
      lines.push_back(shown(chart_.title));
    }
    if (chart_.series.size() < 2 &&
        (chart_.series.empty() || chart_.series.front().name == chart_.title)) {
      return lines;
    }
    const std::size_t most_lines = lines.size() + static_cast<std::size_t>(canvas_.rows) / 4;
    std::size_t used = static_cast<std::size_t>(canvas_.columns);
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const auto name =
          for_canvas(cut_text(shown_text(chart_.series[i].name), kLongestName), canvas_);
      const std::size_t wide = columns_of(name) + 4;
      if (used + wide > static_cast<std::size_t>(canvas_.columns)) {
        if (lines.size() == most_lines) {
          lines.push_back(shown_text(format("  and {} more", chart_.series.size() - i)));
          break;
        }
        lines.emplace_back();
        used = 0;
      }
      const char32_t mark = braille_ ? U'━' : mark_of(i, canvas_.unicode);
      lines.back() += U"  " + colored({&mark, 1}, i, canvas_) + U" " + name;
      used += wide;
    }
    return lines;
  }

  void draw_series(DotField& field, std::size_t number) const {
    const auto place = [](double share, int dots) {
      return static_cast<int>(std::lround(share * (dots - 1)));
    };
    const auto x = [&](const PlotPoint& point) {
      return place(frame_.x.place(point.x), field.dots_across());
    };
    const auto y = [&](const PlotPoint& point) {
      return place(1 - frame_.y.place(point.y), field.dots_down());
    };
    const auto columns = static_cast<std::size_t>(field.dots_across());
    for (const auto& part : split_at_gaps(thin_points(frame_.series[number], columns))) {
      for (std::size_t i = 0; i < part.size(); ++i) {
        const PlotPoint& from = part[i == 0 ? 0 : i - 1];
        field.line(x(from), y(from), x(part[i]), y(part[i]), number);
      }
    }
  }

  void add_field(const DotField& field, int columns, int rows,
                 std::vector<std::u32string>& lines) const {
    std::vector<std::u32string> labels(static_cast<std::size_t>(rows));
    for (const auto& tick : frame_.y.ticks) {
      const auto row = std::lround((1 - frame_.y.place(tick.value)) * (rows - 1));
      auto& label = labels[static_cast<std::size_t>(std::clamp<long>(row, 0, rows - 1))];
      label = label.empty() ? shown_text(tick.label) : label;
    }
    for (int row = 0; row < rows; ++row) {
      const auto& label = labels[static_cast<std::size_t>(row)];
      const std::u32string_view edge =
          canvas_.unicode ? (label.empty() ? U"│" : U"┤") : (label.empty() ? U"|" : U"+");
      std::u32string content = field.row(row, canvas_);
      if (frame_.empty && row == rows / 2) {
        content = padded_left(U"no points", static_cast<std::size_t>(columns) / 2 + 5);
      }
      lines.push_back(padded_left(label, label_columns_) + U" " + std::u32string(edge) + content);
    }
  }

  /// The name stands in front of the last label, where there is room.
  void add_x_axis(int columns, std::vector<std::u32string>& lines) const {
    const auto wide = static_cast<std::size_t>(columns);
    std::u32string edge(wide, canvas_.unicode ? U'─' : U'-');
    std::u32string labels(wide, U' ');
    std::size_t free = 0;  // where the next label may begin
    std::size_t before_last = 0;
    std::size_t last = wide;
    for (const auto& tick : frame_.x.ticks) {
      const auto at = static_cast<std::size_t>(
          std::lround(std::clamp(frame_.x.place(tick.value), 0.0, 1.0) * (columns - 1)));
      edge[at] = canvas_.unicode ? U'┬' : U'+';
      const std::size_t size = tick.label.size();
      const std::size_t start = std::min(at - std::min(at, size / 2), wide - std::min(wide, size));
      if (start >= free) {
        labels.replace(start, size, shown_text(tick.label));
        before_last = free;
        last = start;
        free = start + size + 1;
      }
    }
    const auto name = shown(chart_.x_label);
    const std::size_t size = columns_of(name);
    if (size > 0 && before_last + size + 2 < last) {
      labels.replace(last - size - 2, size, name);
    }
    const std::u32string indent(label_columns_ + 1, U' ');
    lines.push_back(indent + (canvas_.unicode ? U"└" : U"+") + edge);
    lines.push_back(indent + U" " + labels);
  }

  const LineChart& chart_;
  TextCanvas canvas_;
  ChartFrame frame_;
  bool braille_;
  std::size_t label_columns_ = 0;
};

/// More of the row, darker.
std::u32string shade(double share, const TextCanvas& canvas) {
  constexpr std::u32string_view kUnicode = U" ░▒▓█";
  constexpr std::u32string_view kAscii = U" .:*#";
  const auto level = share <= 0 ? 0 : 1 + static_cast<std::size_t>(std::min(share, 0.999) * 4);
  return std::u32string(1, (canvas.unicode ? kUnicode : kAscii)[level]);
}

std::size_t digits_of(const GroupedMatrix& grouped) {
  std::size_t digits = 1;
  for (const auto& row : grouped.counts) {
    for (const std::int64_t count : row) {
      digits = std::max(digits, format("{}", count).size());
    }
  }
  return digits;
}

}  // namespace

std::string chart_text(const LineChart& chart, const TextCanvas& canvas) {
  return TextChart(chart, canvas).run();
}

std::string chart_text(const ConfusionMatrix& matrix, const TextCanvas& wanted) {
  constexpr std::size_t kLongestLabel = 12;
  const TextCanvas canvas = at_least(wanted);
  GroupedMatrix grouped = group_classes(matrix, matrix.labels.size());
  std::size_t label_columns = 4;  // of "true"
  std::size_t cell = 1;
  const auto fit = [&] {
    for (auto& label : grouped.labels) {
      label = for_canvas(cut_text(std::move(label), kLongestLabel), canvas);
      label_columns = std::max(label_columns, columns_of(label));
    }
    const auto room = static_cast<std::size_t>(canvas.columns) - label_columns;
    cell = std::max(digits_of(grouped), label_columns) + 3;  // two spaces and the shade
    if (cell * grouped.labels.size() > room) {
      cell = digits_of(grouped) + 3;
    }
    return std::max<std::size_t>(2, room / cell);
  };
  for (std::size_t most = fit(); most < grouped.labels.size(); most = fit()) {
    grouped = group_classes(matrix, most);
  }
  std::vector<std::u32string> lines;
  if (!matrix.title.empty()) {
    lines.push_back(for_canvas(shown_text(matrix.title), canvas));
  }
  if (grouped.group > 1) {
    lines.push_back(shown_text(format("each row and column: {} classes", grouped.group)));
  }
  std::u32string head = padded_right(U"true", label_columns);
  for (const auto& label : grouped.labels) {
    head += padded_left(cut_text(label, cell - 3), cell - 1) + U" ";
  }
  lines.push_back(for_canvas(head, canvas));
  for (std::size_t row = 0; row < grouped.labels.size(); ++row) {
    std::u32string line = padded_right(grouped.labels[row], label_columns);
    for (std::size_t column = 0; column < grouped.labels.size(); ++column) {
      line += padded_left(shown_text(format("{}", grouped.counts[row][column])), cell - 1);
      line += shade(grouped.share(row, column), canvas);
    }
    lines.push_back(std::move(line));
  }
  return lines_text(lines);
}

}  // namespace onnxop
