// Augmentation by what it does to a bright spot: where it goes, and how far.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"
#include "onnxop/data/batches.h"

namespace onnxop {
namespace {

using testing::HasSubstr;
using Pixels = std::vector<std::uint8_t>;

constexpr int kWidth = 61;
constexpr int kHeight = 41;

struct Point {
  double x = 0, y = 0;  // from the image's middle, to the right and down
};

/// A soft spot around a point.
Pixels spot(Point at) {
  Pixels pixels;
  for (int row = 0; row < kHeight; ++row) {
    for (int column = 0; column < kWidth; ++column) {
      const double x = column - (kWidth - 1) / 2.0 - at.x;
      const double y = row - (kHeight - 1) / 2.0 - at.y;
      pixels.push_back(
          static_cast<std::uint8_t>(std::lround(250 * std::exp(-(x * x + y * y) / 8))));
    }
  }
  return pixels;
}

/// The spot's centre of mass.
Point find(const Pixels& pixels) {
  double mass = 0;
  Point sum;
  std::size_t i = 0;
  for (int row = 0; row < kHeight; ++row) {
    for (int column = 0; column < kWidth; ++column) {
      const double weight = pixels[i++];
      mass += weight;
      sum.x += weight * (column - (kWidth - 1) / 2.0);
      sum.y += weight * (row - (kHeight - 1) / 2.0);
    }
  }
  return {sum.x / mass, sum.y / mass};
}

Pixels augment(const Pixels& from, const AugmentOptions& options, std::uint64_t sample,
               std::uint64_t epoch = 0, std::uint64_t seed = 1) {
  Pixels to(from.size());
  augment_image(from, kHeight, kWidth, 1, options, seed, epoch, sample, to);
  return to;
}

/// The least and the greatest of what is drawn over many samples.
struct Range {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
  double sum = 0;
  int n = 0;

  void add(double value) {
    least = std::min(least, value);
    most = std::max(most, value);
    sum += value;
    ++n;
  }
};

/// Uniform in [-most, most], as far as 300 draws tell.
void expect_uniform(const Range& range, double most, double error) {
  EXPECT_GE(range.least, -most - error);
  EXPECT_LE(range.most, most + error);
  EXPECT_LT(range.least, -0.95 * most);
  EXPECT_GT(range.most, 0.95 * most);
  EXPECT_NEAR(range.sum / range.n, 0, 0.15 * most);
}

constexpr std::uint64_t kDraws = 300;

TEST(Augment, NothingChangesNothing) {
  const Pixels image = spot({3, 4});
  EXPECT_EQ(augment(image, {}, 7), image);
}

TEST(Augment, ShiftMovesByAFractionOfWidthAndHeight) {
  const Pixels image = spot({0, 0});
  Range x, y;
  for (std::uint64_t sample = 0; sample < kDraws; ++sample) {
    const Point to = find(augment(image, {.shift = 0.25}, sample));
    x.add(to.x);
    y.add(to.y);
  }
  expect_uniform(x, 0.25 * kWidth, 0.1);
  expect_uniform(y, 0.25 * kHeight, 0.1);
}

TEST(Augment, RotationTurnsAboutTheMiddle) {
  const Pixels image = spot({10, 0});
  Range angle;
  for (std::uint64_t sample = 0; sample < kDraws; ++sample) {
    const Point to = find(augment(image, {.rotate_degrees = 60}, sample));
    ASSERT_NEAR(std::hypot(to.x, to.y), 10, 0.1);
    angle.add(std::atan2(to.y, to.x) * 180 / std::numbers::pi);
  }
  expect_uniform(angle, 60, 0.6);
}

TEST(Augment, ZoomScalesAboutTheMiddle) {
  const Pixels image = spot({8, -6});
  Range scale;
  for (std::uint64_t sample = 0; sample < kDraws; ++sample) {
    const Point to = find(augment(image, {.zoom = 0.3}, sample));
    ASSERT_NEAR(to.x / to.y, -8.0 / 6, 0.05);
    scale.add(std::hypot(to.x, to.y) / 10 - 1);
  }
  expect_uniform(scale, 0.3, 0.02);
}

TEST(Augment, BetweenPixelsItIsBilinear) {
  // A ramp stays a ramp under bilinear interpolation: the shift shows in every inner pixel alike.
  Pixels ramp;
  for (int i = 0; i < kWidth * kHeight; ++i) {
    ramp.push_back(static_cast<std::uint8_t>(4 * (i % kWidth)));
  }
  for (std::uint64_t sample = 0; sample < 20; ++sample) {
    const Pixels to = augment(ramp, {.shift = 0.1}, sample);
    const double moved = find(augment(spot({0, 0}), {.shift = 0.1}, sample)).x;
    for (int row = 10; row < kHeight - 10; ++row) {
      for (int column = 10; column < kWidth - 10; ++column) {
        ASSERT_NEAR(to[static_cast<std::size_t>(row * kWidth + column)], 4 * (column - moved), 0.8);
      }
    }
  }
}

TEST(Augment, WhatComesFromOutsideIsBlack) {
  const Pixels white(kWidth * kHeight, 255);
  const Pixels small = [&] {
    for (std::uint64_t sample = 0;; ++sample) {
      Pixels to = augment(white, {.zoom = 0.5}, sample);
      if (to[0] == 0) {
        return to;
      }
    }
  }();
  EXPECT_EQ(small[kWidth * (kHeight / 2) + kWidth / 2], 255);
  EXPECT_EQ(small.back(), 0);
}

TEST(Augment, EachSampleEpochAndSeedHasItsOwnChange) {
  const Pixels image = spot({5, 5});
  const AugmentOptions options{.shift = 0.2, .rotate_degrees = 30, .zoom = 0.2};
  const Pixels once = augment(image, options, 3, 4, 5);
  EXPECT_EQ(augment(image, options, 3, 4, 5), once);
  EXPECT_NE(augment(image, options, 2, 4, 5), once);
  EXPECT_NE(augment(image, options, 3, 3, 5), once);
  EXPECT_NE(augment(image, options, 3, 4, 4), once);
}

TEST(Augment, ChannelsMoveTogether) {
  const Pixels gray = spot({5, 5});
  Pixels rgb;
  for (const auto value : gray) {
    rgb.insert(rgb.end(), {value, static_cast<std::uint8_t>(255 - value), 0});
  }
  const AugmentOptions options{.shift = 0.1, .rotate_degrees = 30, .zoom = 0.2};
  Pixels to(rgb.size());
  augment_image(rgb, kHeight, kWidth, 3, options, 1, 0, 9, to);
  const Pixels wanted = augment(gray, options, 9);
  for (std::size_t i = 0; i < gray.size(); ++i) {
    ASSERT_EQ(to[3 * i], wanted[i]);
    ASSERT_EQ(to[3 * i + 2], 0);
  }
}

TEST(Augment, OptionsOutOfRangeAreRefused) {
  const auto message = [](const AugmentOptions& options) {
    const Error error = error_of([&] { augment(spot({0, 0}), options, 0); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.what());
  };
  EXPECT_THAT(message({.shift = 0.6}), HasSubstr("augment: shift is 0.6, expected 0 to 0.5"));
  EXPECT_THAT(message({.shift = -0.1}), HasSubstr("shift is -0.1"));
  EXPECT_THAT(message({.rotate_degrees = 181}), HasSubstr("rotate is 181, expected 0 to 180"));
  EXPECT_THAT(message({.zoom = 0.95}), HasSubstr("zoom is 0.95, expected 0 to 0.9"));
  EXPECT_THAT(message({.zoom = std::nan("")}), HasSubstr("zoom is nan"));
}

TEST(Augment, SpansOfAnotherSizeAreRefused) {
  const Pixels image = spot({0, 0});
  Pixels to(image.size() - 1);
  const Error error =
      error_of([&] { augment_image(image, kHeight, kWidth, 1, {.shift = 0.1}, 1, 0, 0, to); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace onnxop
