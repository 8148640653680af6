// What hostile or broken bytes do to the decoders: an error, never a crash, a wait, or half a
// picture.

#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"
#include "onnxop/image/codec.h"
#include "onnxop/image/test_images.h"

namespace onnxop {
namespace {

using testing::HasSubstr;

struct Sample {
  std::string name;
  TestBytes bytes;
  std::size_t idle_end = 0;  // bytes at the end that no pixel needs
};

std::ostream& operator<<(std::ostream& out, const Sample& sample) {
  return out << sample.name;
}

std::vector<Sample> samples() {
  const Image rgb = noise_image(13, 9, 3, 1);
  const Image gray = noise_image(13, 9, 1, 2);
  const Image smooth = smooth_image(40, 30, 3);
  TestPng interlaced{13, 9, SPNG_COLOR_TYPE_TRUECOLOR};
  interlaced.interlaced = true;
  TestPng palette{13, 9, SPNG_COLOR_TYPE_INDEXED};
  palette.palette.resize(256);
  palette.palette_alpha = {0, 100};
  std::vector<std::uint8_t> rgba = noise_image(13, 9, 1, 3).pixels;
  rgba.resize(13 * 9 * 4, 77);
  return {{"png_gray", encode_png(gray)},
          {"png_rgb", encode_png(rgb)},
          {"png_interlaced", make_png(interlaced, rgb.pixels)},
          {"png_palette", make_png(palette, gray.pixels)},
          {"png_alpha", make_png({13, 9, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA}, rgba)},
          {"jpeg_gray", make_jpeg(gray)},
          {"jpeg_rgb", make_jpeg(smooth)},
          {"jpeg_progressive", make_jpeg(smooth, {90, true})},
          {"webp_lossless", make_webp(13, 9, rgb.pixels)},
          {"webp_alpha", make_webp(13, 9, rgba)},
          {"webp_lossy", make_webp(40, 30, smooth.pixels, 80)},
          {"bmp", make_bmp(rgb)},
          {"bmp_palette", make_palette_bmp(gray)},
          {"bmp_alpha", make_bmp(rgb, true, 99)},
          {"gif", make_gif(gray), 1},
          {"gif_smooth", make_gif(smooth_image(90, 60, 1)), 1},
          {"pgm", make_pnm(gray)},
          {"ppm", make_pnm(rgb)}};
}

class Damage : public testing::TestWithParam<Sample> {};

/// The image, or nothing for an error of a kind that bad bytes may cause.
std::optional<Image> try_decode(std::span<const std::byte> bytes) {
  try {
    return decode_image(bytes, {.max_pixels = 100'000});
  } catch (const Error& e) {
    EXPECT_TRUE(e.code() == ErrorCode::kInvalidArgument || e.code() == ErrorCode::kTooLarge)
        << e.what();
    return std::nullopt;
  }
}

TEST_P(Damage, NoTruncatedImageIsAccepted) {
  const Sample& sample = GetParam();
  const Image whole = decode_image(sample.bytes);
  for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
    // A copy of its own, so that a sanitizer sees a byte too many being read.
    const TestBytes cut(sample.bytes.begin(),
                        sample.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto image = try_decode(cut);
    if (size + sample.idle_end < sample.bytes.size()) {
      ASSERT_FALSE(image) << size << " of " << sample.bytes.size() << " bytes";
    } else {
      ASSERT_TRUE(image);
      EXPECT_EQ(image->pixels, whole.pixels);
    }
  }
}

TEST_P(Damage, TruncationIsCalledSo) {
  const Sample& sample = GetParam();
  const std::size_t drop = sample.idle_end + 3;
  try {
    decode_image(std::span(sample.bytes).first(sample.bytes.size() - drop));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(e.what(), HasSubstr("truncated"));
  }
}

TEST_P(Damage, ChangedBytesGiveAnErrorOrAWholeImage) {
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    TestBytes bytes = GetParam().bytes;
    const std::size_t within =
        round % 2 == 0 ? bytes.size() : std::min<std::size_t>(64, bytes.size());
    for (std::uint32_t change = 0; change <= random() % 4; ++change) {
      bytes[random() % within] = static_cast<std::byte>(random());
    }
    if (const auto image = try_decode(bytes)) {
      ASSERT_GE(image->width, 1);
      ASSERT_GE(image->height, 1);
      ASSERT_LE(image->width * image->height, 100'000);
      ASSERT_TRUE(image->channels == 1 || image->channels == 3);
      ASSERT_EQ(image->pixels.size(),
                static_cast<std::size_t>(image->width * image->height * image->channels));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryFormat, Damage, testing::ValuesIn(samples()),
                         [](const auto& sample) { return sample.param.name; });

TestBytes png_of_size(std::uint32_t width, std::uint32_t height) {
  TestBytes bytes = encode_png(noise_image(2, 2, 1, 1));
  put_be(bytes, 16, width, 4);
  put_be(bytes, 20, height, 4);
  fix_png_crc(bytes, 8, 13);
  return bytes;
}

TestBytes jpeg_of_size(std::uint32_t width, std::uint32_t height) {
  TestBytes bytes = make_jpeg(noise_image(8, 8, 1, 1));
  for (std::size_t at = 0; at + 1 < bytes.size(); ++at) {
    if (bytes[at] == std::byte{0xFF} && bytes[at + 1] == std::byte{0xC0}) {
      put_be(bytes, at + 5, height, 2);
      put_be(bytes, at + 7, width, 2);
      return bytes;
    }
  }
  throw std::runtime_error("no frame header");
}

TestBytes webp_of_size(std::uint32_t width, std::uint32_t height) {
  TestBytes bytes = make_webp(2, 2, noise_image(2, 2, 3, 1).pixels);
  put_le(bytes, 21, (width - 1) | (height - 1) << 14, 4);
  return bytes;
}

TestBytes bmp_of_size(std::uint32_t width, std::uint32_t height) {
  TestBytes bytes = make_bmp(noise_image(2, 2, 3, 1));
  put_le(bytes, 18, width, 4);
  put_le(bytes, 22, height, 4);
  return bytes;
}

TestBytes pnm_of_size(std::uint32_t width, std::uint32_t height) {
  TestBytes bytes;
  append(bytes, "P6 " + std::to_string(width) + " " + std::to_string(height) + " 255\nabc");
  return bytes;
}

TEST(DecodeLimits, GiantSizesInTinyFilesAreRefusedFromTheHeader) {
  constexpr std::uint32_t kMost = 0x7FFFFFFF;
  const TestBytes giants[] = {png_of_size(kMost, kMost),
                              png_of_size(kMost, 1),
                              png_of_size(5000, 5000),
                              jpeg_of_size(65500, 65500),
                              webp_of_size(16383, 16383),
                              bmp_of_size(kMost, kMost),
                              bmp_of_size(5000, 0xFFFFFFFF - 4999),
                              gif_screen(65535, 65535),
                              pnm_of_size(kMost, kMost),
                              pnm_of_size(1, kMost)};
  for (const auto& bytes : giants) {
    EXPECT_EQ(code_of([&] { decode_image(bytes); }), ErrorCode::kTooLarge)
        << probe_image(bytes).format;
  }
}

TEST(DecodeLimits, GiantSizesWithoutALimitAreTruncated) {
  const TestBytes giants[] = {bmp_of_size(0x7FFFFFFF, 0x7FFFFFFF),
                              pnm_of_size(0x7FFFFFFF, 0x7FFFFFFF)};
  for (const auto& bytes : giants) {
    EXPECT_EQ(code_of([&] { decode_image(bytes, {INT64_MAX}); }), ErrorCode::kInvalidArgument);
  }
}

TEST(DecodeLimits, SidesOfNoughtAreRefused) {
  for (const auto& [width, height] : {std::pair{0U, 2U}, std::pair{2U, 0U}, std::pair{0U, 0U}}) {
    for (const auto& bytes : {png_of_size(width, height), jpeg_of_size(width, height),
                              bmp_of_size(width, height), pnm_of_size(width, height),
                              gif_screen(static_cast<int>(width), static_cast<int>(height))}) {
      EXPECT_EQ(code_of([&] { decode_image(bytes); }), ErrorCode::kInvalidArgument);
      EXPECT_EQ(code_of([&] { probe_image(bytes); }), ErrorCode::kInvalidArgument);
    }
  }
}

TEST(DecodeLimits, TheLimitItselfIsAllowed) {
  const Image image = noise_image(10, 10, 3, 1);
  for (const auto& bytes : {encode_png(image), make_jpeg(image), make_webp(10, 10, image.pixels),
                            make_bmp(image), make_gif(to_gray(image)), make_pnm(image)}) {
    EXPECT_EQ(decode_image(bytes, {100}).width, 10);
    EXPECT_EQ(code_of([&] { decode_image(bytes, {99}); }), ErrorCode::kTooLarge);
  }
}

TEST(DecodeLimits, TextThatUnfoldsIsRefused) {
  TestPng png{2, 1};
  png.compressed_text = std::string(std::size_t{40} << 20, 'a');
  const TestBytes bytes = make_png(png, std::vector<std::uint8_t>{1, 2});
  ASSERT_LT(bytes.size(), 100'000U);
  EXPECT_EQ(code_of([&] { decode_image(bytes); }), ErrorCode::kTooLarge);
}

TEST(Jpeg, AHoleBeforeTheEndIsNoticed) {
  const TestBytes whole = make_jpeg(noise_image(64, 64, 3, 4));
  TestBytes hole = whole;
  hole.erase(hole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2), hole.end() - 2);
  EXPECT_EQ(code_of([&] { decode_image(hole); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace onnxop
