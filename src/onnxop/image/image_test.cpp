#include "onnxop/image/image.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"

namespace onnxop {
namespace {

Image noise(int width, int height, int channels, unsigned seed) {
  std::mt19937 random(seed);
  Image image{width, height, channels, {}};
  for (int i = 0; i < width * height * channels; ++i) {
    image.pixels.push_back(static_cast<std::uint8_t>(random() & 255));
  }
  return image;
}

double at(const Image& image, int row, int column, int channel) {
  const int i = (row * image.width + column) * image.channels + channel;
  return image.pixels[static_cast<std::size_t>(i)];
}

/// The length that [a, a + 1) and [begin, end) have in common.
double common(int a, double begin, double end) {
  return std::max(0.0, std::min<double>(a + 1, end) - std::max<double>(a, begin));
}

double slow_area(const Image& image, int width, int height, int row, int column, int channel) {
  const double down = static_cast<double>(image.height) / height;
  const double right = static_cast<double>(image.width) / width;
  double sum = 0;
  double area = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const double part =
          common(y, row * down, (row + 1) * down) * common(x, column * right, (column + 1) * right);
      sum += part * at(image, y, x, channel);
      area += part;
    }
  }
  return sum / area;
}

/// Every source pixel weighted by a tent of width 1 around it; edges repeated.
double slow_bilinear(const Image& image, int width, int height, int row, int column, int channel) {
  const double y = (row + 0.5) * image.height / height - 0.5;
  const double x = (column + 0.5) * image.width / width - 0.5;
  double sum = 0;
  for (int r = -1; r <= image.height; ++r) {
    for (int c = -1; c <= image.width; ++c) {
      const double weight = std::max(0.0, 1 - std::abs(r - y)) * std::max(0.0, 1 - std::abs(c - x));
      sum += weight * at(image, std::clamp(r, 0, image.height - 1),
                         std::clamp(c, 0, image.width - 1), channel);
    }
  }
  return sum;
}

/// The pixel whose middle is nearest; in doubt the right or lower one.
double slow_nearest(const Image& image, int width, int height, int row, int column, int channel) {
  const auto nearest = [](int target, int to, int from) {
    int best = 0;
    for (int source = 0; source < from; ++source) {
      // |(target + 0.5) / to - (source + 0.5) / from|, in whole numbers
      const auto distance = [&](int s) {
        return std::abs((2 * target + 1) * from - (2 * s + 1) * to);
      };
      best = distance(source) <= distance(best) ? source : best;
    }
    return best;
  };
  return at(image, nearest(row, height, image.height), nearest(column, width, image.width),
            channel);
}

using Reference = double (*)(const Image&, int, int, int, int, int);

void expect_close(const Image& image, int width, int height, ResizeMethod method,
                  Reference reference) {
  const Image got = resize(image, width, height, method);
  ASSERT_EQ(got.width, width);
  ASSERT_EQ(got.height, height);
  ASSERT_EQ(got.channels, image.channels);
  ASSERT_EQ(got.pixels.size(), static_cast<std::size_t>(width * height * image.channels));
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      for (int channel = 0; channel < image.channels; ++channel) {
        ASSERT_NEAR(at(got, row, column, channel),
                    reference(image, width, height, row, column, channel), 0.5 + 1e-6)
            << image.width << "x" << image.height << " to " << width << "x" << height << " at "
            << row << "," << column << "," << channel;
      }
    }
  }
}

constexpr std::pair<int, int> kSizes[] = {{1, 1}, {2, 1}, {1, 3}, {3, 2}, {5, 7}, {8, 8}, {13, 4}};

TEST(Resize, NearestAgreesWithASlowReference) {
  for (const auto& [from_width, from_height] : kSizes) {
    const Image image = noise(from_width, from_height, 3, 1);
    for (const auto& [width, height] : kSizes) {
      expect_close(image, width, height, ResizeMethod::kNearest, slow_nearest);
    }
  }
}

TEST(Resize, BilinearAgreesWithASlowReference) {
  for (const auto& [from_width, from_height] : kSizes) {
    const Image image = noise(from_width, from_height, 3, 2);
    for (const auto& [width, height] : kSizes) {
      expect_close(image, width, height, ResizeMethod::kBilinear, slow_bilinear);
    }
  }
}

TEST(Resize, AreaIsTheMeanWhereItShrinks) {
  for (const auto& [from_width, from_height] : kSizes) {
    const Image image = noise(from_width, from_height, 1, 3);
    for (const auto& [width, height] : kSizes) {
      if (width <= from_width && height <= from_height) {
        expect_close(image, width, height, ResizeMethod::kArea, slow_area);
      }
    }
  }
}

TEST(Resize, AreaEnlargesAsBilinear) {
  const Image image = noise(4, 3, 3, 4);
  expect_close(image, 9, 8, ResizeMethod::kArea, slow_bilinear);
}

TEST(Resize, AreaHandlesEachAxisByItself) {
  // Rows of one value: only the shrinking axis matters, and its mean is known.
  const Image image{4, 1, 1, {10, 20, 30, 50}};
  const Image got = resize(image, 2, 3, ResizeMethod::kArea);
  EXPECT_EQ(got.pixels, (std::vector<std::uint8_t>{15, 40, 15, 40, 15, 40}));
}

TEST(Resize, ToItsOwnSizeChangesNothing) {
  const Image image = noise(7, 5, 3, 5);
  for (const auto method : {ResizeMethod::kArea, ResizeMethod::kBilinear, ResizeMethod::kNearest}) {
    EXPECT_EQ(resize(image, 7, 5, method).pixels, image.pixels);
  }
}

TEST(Resize, OneColourStaysThatColour) {
  const Image image{3, 3, 1, std::vector<std::uint8_t>(9, 255)};
  for (const auto method : {ResizeMethod::kArea, ResizeMethod::kBilinear, ResizeMethod::kNearest}) {
    EXPECT_EQ(resize(image, 10, 2, method).pixels, std::vector<std::uint8_t>(20, 255));
  }
}

TEST(Resize, RefusesSizesBelowOne) {
  const Image image = noise(2, 2, 1, 6);
  for (const auto& [width, height] :
       {std::pair{0, 1}, std::pair{1, 0}, std::pair{-1, 5}, std::pair{5, -1}}) {
    EXPECT_EQ(code_of([&, w = width, h = height] { resize(image, w, h, ResizeMethod::kArea); }),
              ErrorCode::kInvalidArgument);
  }
}

TEST(Image, RefusesWhatIsNoImage) {
  const Image wrong[] = {
      {}, {2, 2, 1, {1, 2, 3}}, {1, 1, 2, {1, 2}}, {-1, -1, 1, {1}}, {0, 3, 1, {}}};
  for (const auto& image : wrong) {
    EXPECT_EQ(code_of([&] { to_gray(image); }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of([&] { to_rgb(image); }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of([&] { resize(image, 1, 1, ResizeMethod::kArea); }),
              ErrorCode::kInvalidArgument);
  }
}

TEST(ToGray, IsRoundedLuma) {
  const Image image{5, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 10, 20, 30}};
  const Image gray = to_gray(image);
  EXPECT_EQ(gray.channels, 1);
  EXPECT_EQ(gray.pixels, (std::vector<std::uint8_t>{76, 150, 29, 255, 18}));
}

TEST(ToGray, KeepsEveryGreyValue) {
  Image image{256, 1, 1, {}};
  for (int value = 0; value < 256; ++value) {
    image.pixels.push_back(static_cast<std::uint8_t>(value));
  }
  EXPECT_EQ(to_gray(image).pixels, image.pixels);
  EXPECT_EQ(to_gray(to_rgb(image)).pixels, image.pixels);
}

TEST(ToRgb, RepeatsGreyAndKeepsColour) {
  const Image rgb = to_rgb({2, 1, 1, {7, 9}});
  EXPECT_EQ(rgb.channels, 3);
  EXPECT_EQ(rgb.pixels, (std::vector<std::uint8_t>{7, 7, 7, 9, 9, 9}));
  EXPECT_EQ(to_rgb(rgb).pixels, rgb.pixels);
}

}  // namespace
}  // namespace onnxop
