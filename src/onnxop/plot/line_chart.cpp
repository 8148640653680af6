// The layout of a line chart: title, legend, axes with a grid, lines.

#include <algorithm>
#include <cmath>

#include "onnxop/base/error.h"
#include "onnxop/plot/drawing.h"
#include "onnxop/plot/frame.h"
#include "onnxop/plot/picture_size.h"
#include "onnxop/plot/text.h"
#include "onnxop/plot/thin.h"

namespace onnxop {
namespace {

constexpr double kFont = 12;
constexpr double kTitleFont = 15;
constexpr double kMargin = 16;
constexpr double kLegendRow = 20;
constexpr double kSwatch = 22;  // the piece of line in front of a name
constexpr std::size_t kLongestName = 40;
constexpr std::size_t kMarkedPoints = 40;  // a line of no more has a disc at each

Paint paint_of(std::size_t series) {
  return {Role::kSeries, static_cast<int>(series % kSeriesColors)};
}

Dash dash_of(std::size_t series) {
  return static_cast<Dash>(series / kSeriesColors % 3);
}

struct LegendEntry {
  double x = 0, y = 0;
  std::u32string name;
};

/// Entries in rows, from the left; those that do not fit into `most_rows` are left out.
struct Legend {
  std::vector<LegendEntry> entries;
  double height = 0;
};

Legend lay_out_legend(const LineChart& chart, double width, int most_rows) {
  Legend legend;
  if (chart.series.size() < 2 &&
      (chart.series.empty() || chart.series.front().name == chart.title)) {
    return legend;
  }
  double x = 0;
  int row = 0;
  for (const auto& series : chart.series) {
    const auto name = cut_text(shown_text(series.name), kLongestName);
    const double wide = kSwatch + 6 + text_width(name, kFont) + 18;
    if (x > 0 && x + wide > width) {
      x = 0;
      ++row;
    }
    if (row >= most_rows) {
      const auto left = chart.series.size() - legend.entries.size();
      legend.entries.push_back({0, row * kLegendRow, shown_text(format("and {} more", left))});
      break;
    }
    legend.entries.push_back({x, row * kLegendRow, name});
    x += wide;
  }
  legend.height = (row + 1) * kLegendRow;
  return legend;
}

class LineLayout {
 public:
  LineLayout(const LineChart& chart, const PictureSize& size)
      : chart_(chart), frame_(make_frame(chart, size.width / 90 + 1, size.height / 60 + 1)) {
    drawing_.width = size.width;
    drawing_.height = size.height;
    drawing_.title = shown_text(chart.title);
  }

  Drawing run() {
    const double width = drawing_.width;
    const double height = drawing_.height;
    add(Box{0, 0, width, height, {Role::kBackground, 0}});
    double top = kMargin;
    if (!drawing_.title.empty()) {
      const auto most = static_cast<std::size_t>((width - 2 * kMargin) / (kTitleFont * 0.6));
      label(kMargin, top + kTitleFont - 2, cut_text(drawing_.title, most), kTitleFont,
            {Role::kInk, 0}, Anchor::kStart, true);
      top += kTitleFont + 12;
    }
    const Legend legend =
        lay_out_legend(chart_, width - 2 * kMargin, static_cast<int>(height / 3 / kLegendRow));
    draw_legend(legend, top);
    top += legend.height;
    double labels = 0;
    for (const auto& tick : frame_.y.ticks) {
      labels = std::max(labels, text_width(shown_text(tick.label), kFont));
    }
    left_ = kMargin + (chart_.y_label.empty() ? 0 : kFont + 8) + labels + 6;
    right_ = width - kMargin - 4;
    top_ = top + 8;
    bottom_ = height - kMargin - kFont - 6 - (chart_.x_label.empty() ? 0 : kFont + 6);
    draw_axes();
    draw_axis_names();
    for (std::size_t i = 0; i < frame_.series.size(); ++i) {
      draw_series(i);
    }
    if (frame_.empty) {
      label((left_ + right_) / 2, (top_ + bottom_) / 2, U"no points", kFont, {Role::kMuted, 0},
            Anchor::kMiddle);
    }
    return std::move(drawing_);
  }

 private:
  template <typename Shape>
  void add(Shape shape) {
    drawing_.shapes.emplace_back(std::move(shape));
  }

  void label(double x, double y, std::u32string text, double size, Paint paint, Anchor anchor,
             bool bold = false) {
    add(Label{x, y, std::move(text), size, paint, anchor, false, bold});
  }

  PlotPoint at(const PlotPoint& point) const {
    return {left_ + frame_.x.place(point.x) * (right_ - left_),
            bottom_ - frame_.y.place(point.y) * (bottom_ - top_)};
  }

  void draw_legend(const Legend& legend, double top) {
    for (std::size_t i = 0; i < legend.entries.size(); ++i) {
      const LegendEntry& entry = legend.entries[i];
      const double x = kMargin + entry.x;
      const double y = top + entry.y + 8;
      add(Stroke{{{x, y}, {x + kSwatch, y}}, paint_of(i), 2.5, dash_of(i)});
      label(x + kSwatch + 6, y + kFont * 0.36, entry.name, kFont, {Role::kInk, 0}, Anchor::kStart);
    }
  }

  void draw_axes() {
    const auto line = [this](PlotPoint from, PlotPoint to, Role role) {
      add(Stroke{{from, to}, {role, 0}, 1, Dash::kSolid});
    };
    const auto crisp = [](double value) { return std::floor(value) + 0.5; };
    for (const auto& tick : frame_.y.ticks) {
      const double y = crisp(bottom_ - frame_.y.place(tick.value) * (bottom_ - top_));
      line({left_, y}, {right_, y}, Role::kGrid);
      label(left_ - 6, y + kFont * 0.36, shown_text(tick.label), kFont, {Role::kMuted, 0},
            Anchor::kEnd);
    }
    for (const auto& tick : frame_.x.ticks) {
      const double x = crisp(left_ + frame_.x.place(tick.value) * (right_ - left_));
      line({x, top_}, {x, bottom_}, Role::kGrid);
      line({x, bottom_}, {x, bottom_ + 4}, Role::kMuted);
      label(x, bottom_ + kFont + 7, shown_text(tick.label), kFont, {Role::kMuted, 0},
            Anchor::kMiddle);
    }
    line({left_, crisp(bottom_)}, {right_, crisp(bottom_)}, Role::kMuted);
  }

  void draw_axis_names() {
    if (!chart_.x_label.empty()) {
      label((left_ + right_) / 2, drawing_.height - kMargin + 2,
            cut_text(shown_text(chart_.x_label), kLongestName), kFont, {Role::kInk, 0},
            Anchor::kMiddle);
    }
    if (!chart_.y_label.empty()) {
      add(Label{kMargin + kFont - 4,
                (top_ + bottom_) / 2,
                cut_text(shown_text(chart_.y_label), kLongestName),
                kFont,
                {Role::kInk, 0},
                Anchor::kMiddle,
                /*upward=*/true,
                false});
    }
  }

  void draw_series(std::size_t number) {
    const auto& all = frame_.series[number];
    const auto columns = static_cast<std::size_t>(std::max(1.0, right_ - left_));
    for (const auto& part : split_at_gaps(thin_points(all, columns))) {
      Stroke stroke{{}, paint_of(number), all.size() > columns ? 1.2 : 2, dash_of(number)};
      for (const auto& point : part) {
        stroke.points.push_back(at(point));
      }
      if (all.size() <= kMarkedPoints || part.size() == 1) {
        for (const auto& point : stroke.points) {
          add(Disc{point, 2.8, paint_of(number)});
        }
      }
      if (part.size() > 1) {
        add(std::move(stroke));
      }
    }
  }

  const LineChart& chart_;
  ChartFrame frame_;
  Drawing drawing_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;  // of the field of lines
};

}  // namespace

Drawing draw(const LineChart& chart, const PictureSize& size) {
  check_size(size);
  return LineLayout(chart, size).run();
}

}  // namespace onnxop
