#include "onnxop/nn/kernels.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "onnxop/base/random.h"

namespace onnxop {
namespace {

std::vector<std::uint8_t> mask(std::uint64_t seed, std::uint64_t step, std::int64_t sample,
                               std::uint32_t stream, double rate, std::int64_t n) {
  std::vector<std::uint8_t> keep(static_cast<std::size_t>(n), 7);
  dropout_mask(seed, step, sample, stream, rate, keep.data(), n);
  return keep;
}

TEST(DropoutMask, IsMadeOfPhiloxNumbersAsDocumented) {
  constexpr std::uint64_t kSeed = 0x0123456789ABCDEF;
  constexpr std::uint64_t kStep = 0x500000003;
  const auto keep = mask(kSeed, kStep, 9, 2, 0.25, 300);
  for (std::uint32_t i = 0; i < 300; ++i) {
    const auto words =
        philox4x32({i / 128 * 16 + i % 16, 9, 3, (2U << 16) ^ 5U}, {0x89ABCDEF, 0x01234567});
    const std::uint32_t half = i % 128 / 16;
    const std::uint32_t draw = (words[half / 2] >> (half % 2 * 16)) & 0xFFFF;
    EXPECT_EQ(keep[i], draw >= 16384 ? 1 : 0) << i;
  }
}

TEST(DropoutMask, KeepsItsShare) {
  constexpr std::int64_t kDraws = 1 << 20;
  for (const double rate : {0.0, 0.1, 0.5, 0.9}) {
    const auto keep = mask(1, 2, 3, 4, rate, kDraws);
    double kept = 0;
    for (const auto k : keep) {
      kept += k;
    }
    const double deviation = std::sqrt(rate * (1 - rate) / kDraws);
    EXPECT_NEAR(kept / kDraws, 1 - rate, 5 * deviation + 1.0 / 65536) << rate;
  }
}

TEST(DropoutMask, DiffersBySeedStepSampleAndStream) {
  const auto base = mask(1, 1, 1, 1, 0.5, 256);
  EXPECT_EQ(mask(1, 1, 1, 1, 0.5, 256), base);
  EXPECT_NE(mask(2, 1, 1, 1, 0.5, 256), base);
  EXPECT_NE(mask(1, 2, 1, 1, 0.5, 256), base);
  EXPECT_NE(mask(1, 1, 2, 1, 0.5, 256), base);
  EXPECT_NE(mask(1, 1, 1, 2, 0.5, 256), base);
}

TEST(DropoutMask, AShorterOneIsTheBeginningOfALongerOne) {
  const auto whole = mask(1, 1, 1, 1, 0.5, 256);
  for (const std::int64_t n : {1, 15, 127, 129, 255}) {
    EXPECT_EQ(mask(1, 1, 1, 1, 0.5, n),
              std::vector<std::uint8_t>(whole.begin(), whole.begin() + n));
  }
}

TEST(Bfloat16Conversion, RoundsToNearestEvenAndKeepsNaN) {
  EXPECT_EQ(to_float(to_bfloat16(1.0F)), 1.0F);
  EXPECT_EQ(to_float(to_bfloat16(1.0F + 0x1p-8F)), 1.0F) << "a tie goes to the even neighbour";
  EXPECT_EQ(to_float(to_bfloat16(1.0F + 0x3p-8F)), 1.0F + 0x4p-8F) << "likewise, upwards";
  EXPECT_EQ(to_float(to_bfloat16(std::nextafter(1.0F + 0x1p-8F, 2.0F))), 1.0F + 0x1p-7F);
  EXPECT_EQ(to_float(to_bfloat16(-std::numeric_limits<float>::infinity())),
            -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::numeric_limits<float>::quiet_NaN()))));
}

/// 2x2 windows over a 4x4 image of 25 channels in a row: 16, 8 and 1 lanes at a time.
TEST(MaxPool, FindsTheWinnerAndPassesOnNaN) {
  const Layout in{.samples = 1,
                  .channels = 25,
                  .padded = 25,
                  .height = 4,
                  .width = 4,
                  .blocks = 1,
                  .block = 25};
  Layout out = in;
  out.height = out.width = 2;
  const PoolGeometry g{
      .kernel_height = 2, .kernel_width = 2, .stride_height = 2, .stride_width = 2};
  Random random(1, 1);
  std::vector<float> image(16 * 25), pooled(4 * 25), gradient(16 * 25, 9);
  for (float& value : image) {
    value = random.uniform(-1, 1);
  }
  image[(1 * 4 + 2) * 25 + 24] = std::numeric_limits<float>::quiet_NaN();
  std::vector<std::uint8_t> winner(4 * 25);
  max_pool(image.data(), in, g, out, pooled.data(), winner.data());
  std::vector<float> ones(4 * 25, 1);
  max_pool_backward(ones.data(), pooled.data(), winner.data(), in, g, out, false, gradient.data());
  for (std::size_t row = 0; row < 4; ++row) {
    for (std::size_t column = 0; column < 4; ++column) {
      for (std::size_t c = 0; c < 25; ++c) {
        const std::size_t at = (row * 4 + column) * 25 + c;
        const std::size_t to = (row / 2 * 2 + column / 2) * 25 + c;
        if (std::isnan(pooled[to])) {
          EXPECT_EQ(to, 1U * 25 + 24);
          continue;
        }
        EXPECT_LE(image[at], pooled[to]);
        EXPECT_EQ(gradient[at], image[at] == pooled[to] ? 1 : 0) << at;
      }
    }
  }
  EXPECT_TRUE(std::isnan(pooled[25 + 24]));
}

}  // namespace
}  // namespace onnxop
