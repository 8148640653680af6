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
  std::int64_t max_pixels =
      16'777'216;  // width * height, compared with the header before anything is decoded
};

struct ImageHeader {
  std::string_view format;  // "png", "jpeg", …
  int width = 0;
  int height = 0;
};

/// Reads the header only. Throws Error{kInvalidArgument} for bytes that are no image of a known
/// format.
ImageHeader probe_image(std::span<const std::byte> bytes);

/// Grey images come with one channel, all others with three; transparency is laid over black, 16
/// bits become 8, JPEG's EXIF orientation is not applied. Throws Error{kInvalidArgument} for no
/// image or a truncated or damaged one, Error{kTooLarge} over the limits.
Image decode_image(std::span<const std::byte> bytes, const DecodeLimits& limits = {});

/// A PNG of one or three channels.
std::vector<std::byte> encode_png(const Image& image);

}  // namespace onnxop
