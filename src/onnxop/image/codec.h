#pragma once
// Bytes <-> Image. The format is known from the first bytes: PNG, JPEG, BMP, WebP, GIF (first
// frame), PGM and PPM (binary). Safe from any thread.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "onnxop/image/image.h"

namespace onnxop {

struct DecodeLimits {
  // width * height, compared with the header before anything is decoded
  std::int64_t max_pixels = 16'777'216;
};

struct ImageHeader {
  std::string_view format;  // "png", "jpeg", "webp", "gif", "bmp", "pnm"
  int width = 0;
  int height = 0;
};

/// Reads the header only. Throws Error{kInvalidArgument} for bytes that are no image of a known
/// format.
ImageHeader probe_image(std::span<const std::byte> bytes);

/// Grey PNG, JPEG and PGM images come with one channel, all others with three. Transparency is laid
/// over black; of PNG's 16 bits the upper 8 are kept; JPEG's EXIF orientation is not applied.
/// Throws Error{kInvalidArgument} for no image, a truncated or damaged one, CMYK JPEG, compressed
/// BMP and animated WebP; Error{kTooLarge} over the limits.
Image decode_image(std::span<const std::byte> bytes, const DecodeLimits& limits = {});

/// A PNG of one or three channels. Throws Error{kInvalidArgument} for what is no such image.
std::vector<std::byte> encode_png(const Image& image);

}  // namespace onnxop
