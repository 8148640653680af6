#pragma once
// A picture as shapes at places, of which SVG and PNG are made. Lengths in CSS pixels, x to the
// right, y down. Colours are roles, so that each form has its own for light and dark.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "onnxop/plot/chart.h"

namespace onnxop {

enum class Role {
  kBackground,
  kInk,    // text
  kMuted,  // text of less weight, the frame
  kGrid,
  kSeries,  // [0, kSeriesColors)
  kHeat,    // [0, kHeatLevels): nothing to all
  kOnHeat,  // text on a heat level: [0, kHeatLevels)
};

inline constexpr int kSeriesColors = 8;
inline constexpr int kHeatLevels = 11;

struct Paint {
  Role role = Role::kInk;
  int index = 0;
};

struct Rgb {
  std::uint8_t r = 0, g = 0, b = 0;
};

enum class Theme { kLight, kDark };
Rgb color_of(Paint paint, Theme theme);

enum class Dash { kSolid, kDashed, kDotted };
/// On and off, as multiples of the line's width; a pair for kSolid is never read.
std::array<double, 2> dash_lengths(Dash dash);

struct Stroke {
  std::vector<PlotPoint> points;
  Paint paint;
  double width = 1;
  Dash dash = Dash::kSolid;
};

struct Disc {
  PlotPoint center;
  double radius = 1;
  Paint paint;
};

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  Paint paint;
};

enum class Anchor { kStart, kMiddle, kEnd };

struct Label {
  double x = 0, y = 0;  // of the base line
  std::u32string text;
  double size = 12;  // of the font
  Paint paint;
  Anchor anchor = Anchor::kStart;
  bool upward = false;  // turned to be read from below
  bool bold = false;
};

struct Drawing {
  int width = 0;
  int height = 0;
  std::u32string title;
  std::vector<std::variant<Box, Stroke, Disc, Label>> shapes;  // later ones over earlier ones
};

/// How wide a text comes out, about: fonts differ.
double text_width(std::u32string_view text, double size);

/// Throw what chart_svg() throws.
Drawing draw(const LineChart& chart, const PictureSize& size);
Drawing draw(const ConfusionMatrix& matrix, const PictureSize& size);

std::string svg_of(const Drawing& drawing);
/// `scale` pixels for each of the drawing's.
Bytes png_of(const Drawing& drawing, double scale);

}  // namespace onnxop
