// The layout of a confusion matrix: a square of cells, the true classes at its left, the predicted
// ones above it.

#include <algorithm>
#include <cmath>

#include "onnxop/base/format.h"
#include "onnxop/plot/drawing.h"
#include "onnxop/plot/frame.h"
#include "onnxop/plot/picture_size.h"
#include "onnxop/plot/text.h"

namespace onnxop {
namespace {

constexpr double kFont = 12;
constexpr double kSmallestFont = 7;
constexpr double kTitleFont = 15;
constexpr double kMargin = 16;
constexpr double kLeastCell = 4;
constexpr std::size_t kMostCells = 100;  // in a row
constexpr std::size_t kLongestLabel = 16;

/// Mistakes are few: the square root makes them visible beside what is right.
int heat_level(double share) {
  const auto level = static_cast<int>(std::lround(std::sqrt(share) * (kHeatLevels - 1)));
  return share > 0 ? std::max(level, 1) : 0;
}

class HeatLayout {
 public:
  HeatLayout(const ConfusionMatrix& matrix, const PictureSize& size)
      : grouped_(group_classes(matrix, most_cells(size))),
        shown_labels_(grouped_.labels),
        cells_(grouped_.labels.size()) {
    drawing_.width = size.width;
    drawing_.height = size.height;
    drawing_.title = shown_text(matrix.title);
    for (auto& label : shown_labels_) {
      label = cut_text(std::move(label), kLongestLabel);
      label_width_ = std::max(label_width_, text_width(label, kFont));
    }
  }

  Drawing run() {
    const double width = drawing_.width;
    const double height = drawing_.height;
    add(Box{0, 0, width, height, {Role::kBackground, 0}});
    double top = kMargin;
    std::u32string title = drawing_.title;
    if (grouped_.group > 1) {
      title += shown_text(format(" (groups of {} classes)", grouped_.group));
    }
    if (!title.empty()) {
      const auto most = static_cast<std::size_t>((width - 2 * kMargin) / (kTitleFont * 0.6));
      add(Label{kMargin,
                top + kTitleFont - 2,
                cut_text(title, most),
                kTitleFont,
                {Role::kInk, 0},
                Anchor::kStart,
                false,
                true});
      top += kTitleFont + 12;
    }
    left_ = kMargin + kFont + 10 + label_width_ + 8;
    const double room = width - left_ - kMargin;
    // Labels above the columns stand upright only where they fit side by side.
    const bool flat = label_width_ + 6 <= cell_size(room, height - top - 2 * kFont - 20 - kMargin);
    top_ = top + kFont + 8 + (flat ? kFont : label_width_) + 8;
    cell_ = cell_size(room, height - top_ - kMargin);
    draw_names(top);
    draw_labels(flat);
    for (std::size_t row = 0; row < cells_; ++row) {
      for (std::size_t column = 0; column < cells_; ++column) {
        draw_cell(row, column);
      }
    }
    return std::move(drawing_);
  }

 private:
  static std::size_t most_cells(const PictureSize& size) {
    check_size(size);
    const double fit = (std::min(size.width, size.height) - 150) / kLeastCell;
    return static_cast<std::size_t>(std::clamp(fit, 1.0, static_cast<double>(kMostCells)));
  }

  double cell_size(double width, double height) const {
    return std::max(1.0, std::floor(2 * std::min(width, height) / static_cast<double>(cells_)) / 2);
  }

  template <typename Shape>
  void add(Shape shape) {
    drawing_.shapes.emplace_back(std::move(shape));
  }

  void draw_names(double top) {
    const double side = cell_ * static_cast<double>(cells_);
    add(Label{left_ + side / 2,
              top + kFont,
              U"predicted",
              kFont,
              {Role::kMuted, 0},
              Anchor::kMiddle,
              false,
              false});
    add(Label{kMargin + kFont - 4,
              top_ + side / 2,
              U"true",
              kFont,
              {Role::kMuted, 0},
              Anchor::kMiddle,
              true,
              false});
  }

  /// Every class has its label where there is room; else every second, third, …
  void draw_labels(bool flat) {
    const auto stride = static_cast<std::size_t>(std::ceil((kFont + 1) / cell_));
    for (std::size_t i = 0; i < cells_; i += stride) {
      const double middle = (static_cast<double>(i) + 0.5) * cell_;
      add(Label{left_ - 8,
                top_ + middle + kFont * 0.36,
                shown_labels_[i],
                kFont,
                {Role::kInk, 0},
                Anchor::kEnd,
                false,
                false});
      if (flat) {
        add(Label{left_ + middle,
                  top_ - 8,
                  shown_labels_[i],
                  kFont,
                  {Role::kInk, 0},
                  Anchor::kMiddle,
                  false,
                  false});
      } else {
        add(Label{left_ + middle + kFont * 0.36,
                  top_ - 8,
                  shown_labels_[i],
                  kFont,
                  {Role::kInk, 0},
                  Anchor::kStart,
                  true,
                  false});
      }
    }
  }

  void draw_cell(std::size_t row, std::size_t column) {
    const double gap = cell_ >= 12 ? 1 : 0;
    const int level = heat_level(grouped_.share(row, column));
    const double x = left_ + static_cast<double>(column) * cell_;
    const double y = top_ + static_cast<double>(row) * cell_;
    add(Box{x, y, cell_ - gap, cell_ - gap, {Role::kHeat, level}});
    const std::int64_t count = grouped_.counts[row][column];
    const std::u32string number = shown_text(format("{}", count));
    const double fits = (cell_ - 4) / text_width(number, 1);
    const double font = std::floor(std::min({fits, cell_ * 0.7, kFont + 1}));
    if (count > 0 && font >= kSmallestFont) {
      add(Label{x + (cell_ - gap) / 2,
                y + (cell_ - gap) / 2 + font * 0.36,
                number,
                font,
                {Role::kOnHeat, level},
                Anchor::kMiddle,
                false,
                false});
    }
  }

  GroupedMatrix grouped_;
  std::vector<std::u32string> shown_labels_;
  std::size_t cells_;
  Drawing drawing_;
  double label_width_ = 0;
  double left_ = 0, top_ = 0, cell_ = 0;
};

}  // namespace

Drawing draw(const ConfusionMatrix& matrix, const PictureSize& size) {
  return HeatLayout(matrix, size).run();
}

}  // namespace onnxop
