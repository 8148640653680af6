#include "onnxop/image/image.h"

#include <algorithm>
#include <cmath>

#include "onnxop/base/error.h"
#include "onnxop/image/decoders.h"

namespace onnxop {
namespace {

/// What a target row or column takes from the source: `weights` of neighbours from `first` on,
/// adding up to 1.
struct Taps {
  int first = 0;
  std::vector<double> weights;
};

/// The mean of the source interval that the target pixel covers, parts of pixels counted as parts.
Taps area_taps(int target, int to, int from) {
  const double scale = static_cast<double>(from) / to;
  const double begin = target * scale;
  const double end = std::min<double>((target + 1) * scale, from);
  Taps taps{static_cast<int>(begin), {}};
  for (int at = taps.first; at < end && at < from; ++at) {
    const double covered = std::min<double>(end, at + 1) - std::max<double>(begin, at);
    taps.weights.push_back(covered / (end - begin));
  }
  return taps;
}

Taps bilinear_taps(int target, int to, int from) {
  const double centre = (target + 0.5) * from / to - 0.5;
  const double clamped = std::clamp(centre, 0.0, static_cast<double>(from - 1));
  const int left = std::min(static_cast<int>(clamped), std::max(from - 2, 0));
  const double right = clamped - left;
  return from == 1 ? Taps{0, {1.0}} : Taps{left, {1 - right, right}};
}

Taps nearest_taps(int target, int to, int from) {
  return {std::min(static_cast<int>((target + 0.5) * from / to), from - 1), {1.0}};
}

std::vector<Taps> make_taps(int to, int from, ResizeMethod method) {
  std::vector<Taps> taps;
  for (int target = 0; target < to; ++target) {
    taps.push_back(method == ResizeMethod::kNearest             ? nearest_taps(target, to, from)
                   : method == ResizeMethod::kArea && to < from ? area_taps(target, to, from)
                                                                : bilinear_taps(target, to, from));
  }
  return taps;
}

}  // namespace

void check_image(const Image& image) {
  const auto expected = static_cast<std::size_t>(image.width) *
                        static_cast<std::size_t>(image.height) *
                        static_cast<std::size_t>(image.channels);
  if (image.width < 1 || image.height < 1 || (image.channels != 1 && image.channels != 3) ||
      image.pixels.size() != expected) {
    fail(ErrorCode::kInvalidArgument, "an image of {} x {} with {} channels and {} bytes",
         image.width, image.height, image.channels, image.pixels.size());
  }
}

Image to_gray(Image image) {
  check_image(image);
  if (image.channels == 1) {
    return image;
  }
  Image gray{image.width, image.height, 1, std::vector<std::uint8_t>(image.pixels.size() / 3)};
  for (std::size_t i = 0; i < gray.pixels.size(); ++i) {
    const std::uint8_t* rgb = &image.pixels[3 * i];
    gray.pixels[i] =
        static_cast<std::uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
  }
  return gray;
}

Image to_rgb(Image image) {
  check_image(image);
  if (image.channels == 3) {
    return image;
  }
  Image rgb{image.width, image.height, 3, std::vector<std::uint8_t>(image.pixels.size() * 3)};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    std::fill_n(rgb.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, image.pixels[i]);
  }
  return rgb;
}

Image resize(const Image& image, int width, int height, ResizeMethod method) {
  check_image(image);
  if (width < 1 || height < 1) {
    fail(ErrorCode::kInvalidArgument, "resizing to {} x {}, expected 1 x 1 or more", width, height);
  }
  const auto columns = make_taps(width, image.width, method);
  const auto rows = make_taps(height, image.height, method);
  const auto channels = static_cast<std::size_t>(image.channels);
  const auto source_row = static_cast<std::size_t>(image.width) * channels;
  Image out{width, height, image.channels, {}};
  out.pixels.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * channels);
  std::vector<double> line(source_row);  // the rows of one target row, weighted
  for (const auto& row : rows) {
    std::fill(line.begin(), line.end(), 0.0);
    for (std::size_t k = 0; k < row.weights.size(); ++k) {
      const std::uint8_t* from =
          &image.pixels[(static_cast<std::size_t>(row.first) + k) * source_row];
      for (std::size_t i = 0; i < source_row; ++i) {
        line[i] += row.weights[k] * from[i];
      }
    }
    for (const auto& column : columns) {
      for (std::size_t channel = 0; channel < channels; ++channel) {
        double value = 0;
        for (std::size_t k = 0; k < column.weights.size(); ++k) {
          value += column.weights[k] *
                   line[(static_cast<std::size_t>(column.first) + k) * channels + channel];
        }
        out.pixels.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))));
      }
    }
  }
  return out;
}

}  // namespace onnxop
