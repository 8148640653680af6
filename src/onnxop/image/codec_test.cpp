#include "onnxop/image/codec.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/image/test_images.h"

namespace onnxop {
namespace {

using testing::HasSubstr;
using Pixels = std::vector<std::uint8_t>;

void expect_image(const Image& got, int width, int height, int channels, const Pixels& pixels) {
  EXPECT_EQ(got.width, width);
  EXPECT_EQ(got.height, height);
  EXPECT_EQ(got.channels, channels);
  EXPECT_EQ(got.pixels, pixels);
}

void expect_near(const Image& got, const Image& wanted, int most) {
  ASSERT_EQ(got.width, wanted.width);
  ASSERT_EQ(got.height, wanted.height);
  ASSERT_EQ(got.channels, wanted.channels);
  ASSERT_EQ(got.pixels.size(), wanted.pixels.size());
  for (std::size_t i = 0; i < got.pixels.size(); ++i) {
    ASSERT_NEAR(got.pixels[i], wanted.pixels[i], most) << i;
  }
}

std::string message_of(const TestBytes& bytes) {
  try {
    decode_image(bytes);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "nothing was thrown";
}

TestBytes from_text(std::string_view text) {
  TestBytes bytes;
  append(bytes, text);
  return bytes;
}

TEST(Png, ComesBackAsItWasEncoded) {
  for (const int channels : {1, 3}) {
    for (const auto& [width, height] : {std::pair{1, 1}, std::pair{28, 28}, std::pair{37, 5}}) {
      const Image image = noise_image(width, height, channels, 1);
      expect_image(decode_image(encode_png(image)), width, height, channels, image.pixels);
    }
  }
}

TEST(Png, EncodingRefusesWhatIsNoImage) {
  for (const Image& wrong :
       {Image{}, Image{1, 1, 2, {1, 2}}, Image{2, 2, 1, {1}}, Image{0, 1, 1, {}}}) {
    EXPECT_THROW(encode_png(wrong), Error);
  }
}

TEST(Png, GreyOfFewerBitsFillsTheRange) {
  expect_image(decode_image(make_png({8, 1, SPNG_COLOR_TYPE_GRAYSCALE, 1}, Pixels{0b10110000})), 8,
               1, 1, {255, 0, 255, 255, 0, 0, 0, 0});
  expect_image(decode_image(make_png({4, 1, SPNG_COLOR_TYPE_GRAYSCALE, 2}, Pixels{0b00011011})), 4,
               1, 1, {0, 85, 170, 255});
  expect_image(decode_image(make_png({2, 1, SPNG_COLOR_TYPE_GRAYSCALE, 4}, Pixels{0x3F})), 2, 1, 1,
               {51, 255});
}

Pixels sixteen_bits(const std::vector<std::uint16_t>& values) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(values.data());
  return {begin, begin + 2 * values.size()};
}

TEST(Png, OfSixteenBitsTheUpperEightAreKept) {
  expect_image(decode_image(make_png({3, 1, SPNG_COLOR_TYPE_GRAYSCALE, 16},
                                     sixteen_bits({0x12FF, 0xFF00, 0x00FF}))),
               3, 1, 1, {0x12, 0xFF, 0x00});
  expect_image(decode_image(make_png({1, 1, SPNG_COLOR_TYPE_TRUECOLOR, 16},
                                     sixteen_bits({0x1234, 0x5678, 0x9ABC}))),
               1, 1, 3, {0x12, 0x56, 0x9A});
}

TEST(Png, TransparencyIsLaidOverBlack) {
  expect_image(decode_image(make_png({3, 1, SPNG_COLOR_TYPE_GRAYSCALE_ALPHA},
                                     Pixels{200, 255, 200, 0, 200, 128})),
               3, 1, 1, {200, 0, 100});
  expect_image(decode_image(make_png({2, 1, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA},
                                     Pixels{10, 20, 30, 255, 100, 200, 255, 51})),
               2, 1, 3, {10, 20, 30, 20, 40, 51});
  TestPng one_gray{2, 1};
  one_gray.transparent_gray = 77;
  expect_image(decode_image(make_png(one_gray, Pixels{77, 78})), 2, 1, 1, {0, 78});
}

TEST(Png, PaletteBecomesColours) {
  TestPng png{4, 1, SPNG_COLOR_TYPE_INDEXED, 2};
  png.palette = {{1, 2, 3, 0}, {40, 50, 60, 0}, {70, 80, 90, 0}};
  expect_image(decode_image(make_png(png, Pixels{0b00011000})), 4, 1, 3,
               {1, 2, 3, 40, 50, 60, 70, 80, 90, 1, 2, 3});
  png.palette_alpha = {255, 0};
  expect_image(decode_image(make_png(png, Pixels{0b00011000})), 4, 1, 3,
               {1, 2, 3, 0, 0, 0, 70, 80, 90, 1, 2, 3});
}

TEST(Png, InterlacedIsTheSamePicture) {
  for (const auto& [width, height] : {std::pair{1, 1}, std::pair{3, 2}, std::pair{13, 9}}) {
    const Image image = noise_image(width, height, 3, 2);
    TestPng png{static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height),
                SPNG_COLOR_TYPE_TRUECOLOR};
    png.interlaced = true;
    expect_image(decode_image(make_png(png, image.pixels)), width, height, 3, image.pixels);
  }
}

TEST(Png, TextBesideThePixelsIsNoProblem) {
  TestPng png{2, 1};
  png.compressed_text = std::string(100'000, 'a');
  expect_image(decode_image(make_png(png, Pixels{1, 2})), 2, 1, 1, {1, 2});
}

TEST(Jpeg, IsNearTheOriginal) {
  for (const int channels : {1, 3}) {
    for (const bool progressive : {false, true}) {
      const Image image = smooth_image(37, 21, channels);
      expect_near(decode_image(make_jpeg(image, {98, progressive})), image, 4);
    }
  }
}

TEST(Jpeg, CmykIsRefused) {
  EXPECT_THAT(message_of(make_jpeg(smooth_image(8, 8, 1), {95, false, true})),
              HasSubstr("CMYK colours, expected grey or RGB"));
}

/// A grey image sent coefficient by coefficient, each in `levels` steps of precision.
std::vector<jpeg_scan_info> scans_of(int levels) {
  std::vector<jpeg_scan_info> scans{{1, {0}, 0, 0, 0, 0}};
  for (int coefficient = 1; coefficient < 64; ++coefficient) {
    for (int level = levels - 1; level >= 0; --level) {
      scans.push_back(
          {1, {0}, coefficient, coefficient, level == levels - 1 ? 0 : level + 1, level});
    }
  }
  return scans;
}

TEST(Jpeg, ManyScansAreReadButNotAnyNumber) {
  const Image image = smooth_image(24, 16, 1);
  expect_near(decode_image(make_jpeg(image, {98, false, false, scans_of(2)})), image, 4);
  EXPECT_THAT(message_of(make_jpeg(image, {98, false, false, scans_of(4)})),
              HasSubstr("more than 200 scans"));
}

TEST(Webp, LosslessComesBackExactly) {
  const Image image = noise_image(19, 7, 3, 3);
  expect_image(decode_image(make_webp(19, 7, image.pixels)), 19, 7, 3, image.pixels);
}

TEST(Webp, LossyIsNearTheOriginal) {
  const Image image = smooth_image(40, 24, 3);
  expect_near(decode_image(make_webp(40, 24, image.pixels, 95)), image, 6);
}

TEST(Webp, TransparencyIsLaidOverBlack) {
  expect_image(decode_image(make_webp(2, 1, Pixels{10, 20, 30, 255, 100, 200, 255, 51})), 2, 1, 3,
               {10, 20, 30, 20, 40, 51});
}

TEST(Webp, AnimationsAreRefused) {
  TestBytes bytes;
  append(bytes, "RIFF");
  append_le(bytes, 22, 4);
  append(bytes, "WEBPVP8X");
  append_le(bytes, 10, 4);
  append_le(bytes, 0x02, 4);  // the animation flag
  append_le(bytes, 7, 3);
  append_le(bytes, 7, 3);
  EXPECT_THAT(message_of(bytes), HasSubstr("animated, expected a still one"));
}

TEST(Bmp, RowsMayStandEitherWay) {
  const Image image = noise_image(5, 3, 3, 4);
  expect_image(decode_image(make_bmp(image)), 5, 3, 3, image.pixels);
  expect_image(decode_image(make_bmp(image, true)), 5, 3, 3, image.pixels);
}

TEST(Bmp, PaletteBecomesColours) {
  expect_image(decode_image(make_palette_bmp({3, 2, 1, {0, 1, 2, 253, 254, 255}})), 3, 2, 3,
               {0, 255, 0, 1, 254, 0, 2, 253, 1, 253, 2, 126, 254, 1, 127, 255, 0, 127});
}

TEST(Bmp, AlphaIsLaidOverBlackUnlessThereIsNone) {
  const Image image{1, 1, 3, {100, 200, 255}};
  expect_image(decode_image(make_bmp(image, false, 51)), 1, 1, 3, {20, 40, 51});
  expect_image(decode_image(make_bmp(image, false, 0)), 1, 1, 3, {100, 200, 255});
}

TEST(Bmp, CompressionIsRefused) {
  TestBytes bytes = make_bmp(noise_image(4, 4, 3, 5));
  put_le(bytes, 30, 1, 4);
  EXPECT_THAT(message_of(bytes), HasSubstr("compression 1"));
}

TEST(Bmp, OddHeadersAreRefused) {
  const auto with = [](std::size_t at, std::uint32_t value, int size) {
    TestBytes bytes = make_bmp(noise_image(4, 4, 3, 5));
    put_le(bytes, at, value, size);
    return message_of(bytes);
  };
  EXPECT_THAT(with(14, 52, 4), HasSubstr("information header of 52 bytes"));
  EXPECT_THAT(with(18, 0xFFFFFFFF, 4), HasSubstr("a side of -1 pixels"));
  EXPECT_THAT(with(22, 0x80000000, 4), HasSubstr("a side of 2147483648 pixels"));
  EXPECT_THAT(with(28, 0, 2), HasSubstr("0 bits a pixel"));
  EXPECT_THAT(with(28, 48, 2), HasSubstr("48 bits a pixel"));
  EXPECT_THAT(with(10, 0x7FFFFFFF, 4), HasSubstr("truncated"));
}

Pixels tripled(const Pixels& gray) {
  Pixels rgb;
  for (const auto value : gray) {
    rgb.insert(rgb.end(), 3, value);
  }
  return rgb;
}

TEST(Gif, ComesBackExactlyWithAnyLengthOfCodes) {
  for (const auto& [width, height] : {std::pair{1, 1}, std::pair{9, 5}, std::pair{120, 90}}) {
    for (const Image& image : {noise_image(width, height, 1, 6), smooth_image(width, height, 1)}) {
      expect_image(decode_image(make_gif(image)), width, height, 3, tripled(image.pixels));
    }
  }
}

TEST(Gif, TheFirstPictureOfAnAnimationCounts) {
  const Image first = noise_image(4, 3, 1, 7);
  TestBytes bytes = gif_screen(4, 3);
  append_le(bytes, 0x04F921, 3);  // extension, graphic control, 4 bytes
  append_le(bytes, 0x000A00, 4);
  append_le(bytes, 0, 1);
  append_gif_picture(bytes, first, lzw(first.pixels, 8));
  append_gif_picture(bytes, first, lzw(Pixels(12, 9), 8));
  append_le(bytes, 0x3B, 1);
  expect_image(decode_image(bytes), 4, 3, 3, tripled(first.pixels));
}

TEST(Gif, TransparentAndUncoveredPixelsAreBlack) {
  TestBytes bytes = gif_screen(3, 1);
  put_le(bytes, 11, 9, 1);  // a background colour
  append_le(bytes, 0x04F921, 3);
  append_le(bytes, 0x01, 3);  // one number is transparent:
  append_le(bytes, 77, 2);
  append_gif_picture(bytes, {2, 1, 1, {}}, lzw(Pixels{77, 78}, 8));
  append_le(bytes, 0x3B, 1);
  expect_image(decode_image(bytes), 3, 1, 3, tripled({0, 78, 0}));
}

TEST(Gif, InterlacedRowsAreSorted) {
  // Of five rows, rows 0; 4; 2; 1, 3 come in this order.
  const Image sent{1, 5, 1, {10, 50, 30, 20, 40}};
  TestBytes bytes = gif_screen(1, 5);
  append_gif_picture(bytes, sent, lzw(sent.pixels, 8), true);
  expect_image(decode_image(bytes), 1, 5, 3, tripled({10, 20, 30, 40, 50}));
}

TEST(Gif, PixelsThatAreMissingAreNoticed) {
  const Image image = noise_image(6, 4, 1, 8);
  TestBytes bytes = gif_screen(6, 4);
  append_gif_picture(bytes, image, lzw(std::span(image.pixels).first(23), 8));
  append_le(bytes, 0x3B, 1);
  EXPECT_THAT(message_of(bytes), HasSubstr("truncated: 23 pixels, expected 6 x 4"));
}

TEST(Gif, ImpossibleCodesAreNoticed) {
  const Image image = noise_image(2, 1, 1, 9);
  TestBytes bytes = gif_screen(2, 1);
  TestBytes raster;
  append_le(raster, 0x100 | 0x1FF << 9, 3);  // clear, then a code that nothing has defined
  append_gif_picture(bytes, image, raster);
  EXPECT_THAT(message_of(bytes), HasSubstr("damaged"));
}

TEST(Gif, WithoutAPictureIsRefused) {
  TestBytes bytes = gif_screen(2, 1);
  append_le(bytes, 0x3B, 1);
  EXPECT_THAT(message_of(bytes), HasSubstr("no picture"));
}

TEST(Pnm, GreyAndColourComeBackExactly) {
  for (const int channels : {1, 3}) {
    const Image image = noise_image(7, 3, channels, 10);
    expect_image(decode_image(make_pnm(image)), 7, 3, channels, image.pixels);
  }
}

TEST(Pnm, HeadersMayHoldComments) {
  expect_image(decode_image(from_text("P5 # made by hand\n#\n 2#two\n\t1\r\n# most\n255\nab")), 2,
               1, 1, {'a', 'b'});
  expect_image(decode_image(from_text("P5#x\n1 1 255 #")), 1, 1, 1, {'#'});
}

TEST(Pnm, OtherRangesAreScaled) {
  expect_image(decode_image(from_text(std::string("P5 3 1 1\n\0\1\2", 12))), 3, 1, 1,
               {0, 255, 255});
  expect_image(decode_image(from_text(std::string("P5 2 1 1000\n\1\xF4\3\xE8", 16))), 2, 1, 1,
               {128, 255});
  expect_image(decode_image(from_text(std::string("P6 1 1 65535\n\xFF\xFF\x80\0\0\0", 19))), 1, 1,
               3, {255, 128, 0});
}

TEST(Pnm, BadHeadersAreRefused) {
  EXPECT_THAT(message_of(from_text("P5 2 x 255\nab")), HasSubstr("no number"));
  EXPECT_THAT(message_of(from_text("P5 2 1 255xab")), HasSubstr("no number"));
  EXPECT_THAT(message_of(from_text("P5 -2 1 255\nab")), HasSubstr("no number"));
  EXPECT_THAT(message_of(from_text("P5 99999999999999999999 1 255\nab")), HasSubstr("no number"));
  EXPECT_THAT(message_of(from_text("P5 2 1 0\nab")), HasSubstr("expected 1 to 65535"));
  EXPECT_THAT(message_of(from_text("P5 2 1 65536\nabcd")), HasSubstr("expected 1 to 65535"));
  EXPECT_THAT(message_of(from_text("P5 0 1 255\n")), HasSubstr("0 x 1 pixels"));
  EXPECT_THAT(message_of(from_text("P5 2 1 255\na")), HasSubstr("truncated"));
  EXPECT_THAT(message_of(from_text("P5 2 # never ends")), HasSubstr("truncated"));
}

TEST(DecodeImage, RefusesWhatIsNoImage) {
  for (const std::string_view text : {"", "P", "P5", "P52 1 255\n", "GIF", "RIFF", "RIFFxxxxWEB",
                                      "hello, world, here I am", "\x89PNG\r\n", "P2 1 1 255\n0"}) {
    EXPECT_THAT(message_of(from_text(text)), HasSubstr("no image: ")) << text;
  }
  EXPECT_THAT(message_of({}), HasSubstr("expected PNG, JPEG, WebP, GIF, BMP, PGM or PPM"));
}

TEST(ProbeImage, SaysFormatAndSize) {
  const Image image = noise_image(9, 4, 3, 11);
  const std::pair<std::string_view, TestBytes> samples[] = {{"png", encode_png(image)},
                                                            {"jpeg", make_jpeg(image)},
                                                            {"webp", make_webp(9, 4, image.pixels)},
                                                            {"bmp", make_bmp(image, true)},
                                                            {"gif", make_gif(to_gray(image))},
                                                            {"pnm", make_pnm(image)}};
  for (const auto& [name, bytes] : samples) {
    const ImageHeader header = probe_image(bytes);
    EXPECT_EQ(header.format, name);
    EXPECT_EQ(header.width, 9) << name;
    EXPECT_EQ(header.height, 4) << name;
  }
}

}  // namespace
}  // namespace onnxop
