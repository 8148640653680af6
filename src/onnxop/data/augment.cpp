#include <algorithm>
#include <cmath>
#include <numbers>

#include "onnxop/base/error.h"
#include "onnxop/base/random.h"
#include "onnxop/data/batches.h"

namespace onnxop {
namespace {

/// Where a pixel of the changed image comes from: rows and columns are measured from the image's
/// middle.
struct Placement {
  double row_from_row = 1, row_from_column = 0, column_from_row = 0, column_from_column = 1;
  double shift_rows = 0, shift_columns = 0;
};

Placement draw(const AugmentOptions& options, int height, int width, std::uint64_t seed,
               std::uint64_t epoch, std::uint64_t sample) {
  constexpr std::uint64_t kPurpose = std::uint64_t{0xA6}
                                     << 56;  // a stream of its own beside shuffling's
  Random random(seed, kPurpose ^ (epoch << 32) ^ sample);
  const auto within = [&random](double most) { return (2.0 * random.uniform() - 1.0) * most; };
  Placement placement;
  placement.shift_rows = within(options.shift) * height;
  placement.shift_columns = within(options.shift) * width;
  const double angle = within(options.rotate_degrees) * std::numbers::pi / 180;
  const double scale = 1 / (1 + within(options.zoom));
  placement.row_from_row = std::cos(angle) * scale;
  placement.row_from_column = std::sin(angle) * scale;
  placement.column_from_row = -std::sin(angle) * scale;
  placement.column_from_column = std::cos(angle) * scale;
  return placement;
}

/// std::floor, which is a call of the C library on processors without SSE 4.1.
std::int64_t whole(double value) {
  const auto toward_zero = static_cast<std::int64_t>(value);
  return toward_zero - (value < static_cast<double>(toward_zero) ? 1 : 0);
}

/// An image that is black outside, read between its pixels.
struct Source {
  std::span<const std::uint8_t> pixels;
  std::int64_t height, width, channels;

  double at(std::int64_t row, std::int64_t column, std::int64_t channel) const {
    const bool inside = row >= 0 && row < height && column >= 0 && column < width;
    return inside ? pixels[static_cast<std::size_t>((row * width + column) * channels + channel)]
                  : 0.0;
  }

  /// Writes all channels of the point (row, column) to `to`.
  void sample(double row, double column, std::uint8_t* to) const {
    const std::int64_t top = whole(row);
    const std::int64_t left = whole(column);
    if (top < -1 || top >= height || left < -1 || left >= width) {
      std::fill_n(to, channels, std::uint8_t{0});
      return;
    }
    const double down = row - static_cast<double>(top);
    const double right = column - static_cast<double>(left);
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      const double upper =
          at(top, left, channel) * (1 - right) + at(top, left + 1, channel) * right;
      const double lower =
          at(top + 1, left, channel) * (1 - right) + at(top + 1, left + 1, channel) * right;
      to[channel] = static_cast<std::uint8_t>(whole(upper * (1 - down) + lower * down + 0.5));
    }
  }
};

}  // namespace

void check_augment(const AugmentOptions& options) {
  const auto check = [](std::string_view name, double value, double most) {
    if (!(value >= 0 && value <= most)) {
      fail(ErrorCode::kInvalidArgument, "augment: {} is {}, expected 0 to {}", name, value, most);
    }
  };
  check("shift", options.shift, 0.5);
  check("rotate", options.rotate_degrees, 180);
  check("zoom", options.zoom, 0.9);
}

void augment_image(std::span<const std::uint8_t> from, int height, int width, int channels,
                   const AugmentOptions& options, std::uint64_t seed, std::uint64_t epoch,
                   std::uint64_t sample, std::span<std::uint8_t> to) {
  check_augment(options);
  const auto size = static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
                    static_cast<std::size_t>(channels);
  if (from.size() != size || to.size() != size) {
    fail(ErrorCode::kInvalidArgument, "augmenting {} bytes into {}, expected {} x {} x {}",
         from.size(), to.size(), height, width, channels);
  }
  const Placement placement = draw(options, height, width, seed, epoch, sample);
  const Source source{from, height, width, channels};
  std::uint8_t* out = to.data();
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column, out += channels) {
      const double y = row - (height - 1) / 2.0 - placement.shift_rows;
      const double x = column - (width - 1) / 2.0 - placement.shift_columns;
      source.sample(
          placement.row_from_row * y + placement.row_from_column * x + (height - 1) / 2.0,
          placement.column_from_row * y + placement.column_from_column * x + (width - 1) / 2.0,
          out);
    }
  }
}

}  // namespace onnxop
