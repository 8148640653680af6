#include "onnxop/plot/drawing.h"

#include <algorithm>
#include <cmath>

#include "onnxop/plot/text.h"

namespace onnxop {
namespace {

using Palette = std::array<Rgb, kSeriesColors>;

// Told apart by people who see no red or no green too: they differ in lightness.
constexpr Palette kSeriesOnLight{{{0x1f, 0x6f, 0xb5},
                                  {0xd9, 0x5f, 0x0e},
                                  {0x1f, 0x8a, 0x5a},
                                  {0xb0, 0x3a, 0x8c},
                                  {0x8c, 0x6d, 0x0a},
                                  {0x5b, 0x4f, 0xc4},
                                  {0xc2, 0x2f, 0x3d},
                                  {0x4f, 0x5b, 0x66}}};
constexpr Palette kSeriesOnDark{{{0x5a, 0xae, 0xf0},
                                 {0xff, 0x9a, 0x4d},
                                 {0x4f, 0xc9, 0x8f},
                                 {0xe8, 0x82, 0xc6},
                                 {0xd9, 0xb8, 0x3f},
                                 {0xa3, 0x99, 0xf5},
                                 {0xf5, 0x7c, 0x84},
                                 {0xb4, 0xc0, 0xcc}}};

Rgb between(Rgb from, Rgb to, double place) {
  const auto mix = [place](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>(std::lround(a + (b - a) * place));
  };
  return {mix(from.r, to.r), mix(from.g, to.g), mix(from.b, to.b)};
}

Rgb heat_color(int level, bool dark) {
  const double place = static_cast<double>(level) / (kHeatLevels - 1);
  return dark ? between({0x20, 0x26, 0x2e}, {0x7c, 0xc0, 0xff}, place)
              : between({0xf3, 0xf6, 0xfa}, {0x0b, 0x4a, 0x8f}, place);
}

}  // namespace

Rgb color_of(Paint paint, Theme theme) {
  const bool dark = theme == Theme::kDark;
  switch (paint.role) {
    case Role::kBackground:
      return dark ? Rgb{0x15, 0x19, 0x1f} : Rgb{0xff, 0xff, 0xff};
    case Role::kInk:
      return dark ? Rgb{0xe6, 0xea, 0xef} : Rgb{0x1b, 0x20, 0x27};
    case Role::kMuted:
      return dark ? Rgb{0xa3, 0xad, 0xb8} : Rgb{0x55, 0x5f, 0x6b};
    case Role::kGrid:
      return dark ? Rgb{0x2c, 0x33, 0x3c} : Rgb{0xe2, 0xe6, 0xeb};
    case Role::kSeries:
      return (dark ? kSeriesOnDark : kSeriesOnLight)[static_cast<std::size_t>(paint.index)];
    case Role::kHeat:
      return heat_color(paint.index, dark);
    case Role::kOnHeat: {
      const bool strong = 2 * paint.index >= kHeatLevels - 1;
      return strong != dark ? Rgb{0xff, 0xff, 0xff} : Rgb{0x12, 0x17, 0x1d};
    }
  }
  return {};
}

std::array<double, 2> dash_lengths(Dash dash) {
  return dash == Dash::kDotted ? std::array{1.0, 2.0} : std::array{4.0, 2.5};
}

double text_width(std::u32string_view text, double size) {
  constexpr double kOfSize = 0.6;
  return kOfSize * size * static_cast<double>(columns_of(text));
}

}  // namespace onnxop
