#include "onnxop/image/codec.h"

#include <algorithm>
#include <array>

#include "onnxop/base/error.h"
#include "onnxop/image/decoders.h"

namespace onnxop {
namespace {

struct Format {
  std::string_view name;
  bool (*fits)(std::string_view begin);
  ImageHeader (*header)(ByteSpan);
  Image (*decode)(ByteSpan);
};

bool is_pnm(std::string_view begin) {
  constexpr std::string_view kBehindMagic = " \t\n\v\f\r#";
  return begin.size() > 2 && (begin.starts_with("P5") || begin.starts_with("P6")) &&
         kBehindMagic.find(begin[2]) != std::string_view::npos;
}

constexpr std::array<Format, 6> kFormats{
    {{"PNG", [](std::string_view b) { return b.starts_with("\x89PNG\r\n\x1a\n"); }, read_png_header,
      decode_png},
     {"JPEG", [](std::string_view b) { return b.starts_with("\xff\xd8\xff"); }, read_jpeg_header,
      decode_jpeg},
     {"WebP", [](std::string_view b) { return b.starts_with("RIFF") && b.find("WEBP", 8) == 8; },
      read_webp_header, decode_webp},
     {"GIF", [](std::string_view b) { return b.starts_with("GIF87a") || b.starts_with("GIF89a"); },
      read_gif_header, decode_gif},
     {"BMP", [](std::string_view b) { return b.starts_with("BM"); }, read_bmp_header, decode_bmp},
     {"PNM", is_pnm, read_pnm_header, decode_pnm}}};

const Format& find_format(ByteSpan bytes) {
  constexpr std::size_t kLongestStart = 16;
  const std::string_view begin(reinterpret_cast<const char*>(bytes.data()),
                               std::min(bytes.size(), kLongestStart));
  for (const auto& kind : kFormats) {
    if (kind.fits(begin)) {
      return kind;
    }
  }
  fail(ErrorCode::kInvalidArgument,
       "no image: {} bytes that begin like no known format; expected PNG, JPEG, WebP, GIF, BMP, "
       "PGM or PPM",
       bytes.size());
}

ImageHeader checked_header(const Format& kind, ByteSpan bytes) {
  const ImageHeader header = kind.header(bytes);
  if (header.width < 1 || header.height < 1) {
    fail(ErrorCode::kInvalidArgument, "{} image of {} x {} pixels, expected 1 x 1 or more",
         kind.name, header.width, header.height);
  }
  return header;
}

}  // namespace

ImageHeader probe_image(ByteSpan bytes) {
  return checked_header(find_format(bytes), bytes);
}

Image decode_image(ByteSpan bytes, const DecodeLimits& limits) {
  const Format& kind = find_format(bytes);
  const ImageHeader header = checked_header(kind, bytes);
  const std::int64_t pixels = static_cast<std::int64_t>(header.width) * header.height;
  if (pixels > limits.max_pixels) {
    fail(ErrorCode::kTooLarge, "{} image of {} x {} = {} pixels, expected at most {}", kind.name,
         header.width, header.height, pixels, limits.max_pixels);
  }
  return kind.decode(bytes);
}

Image over_black(int width, int height, std::span<const std::uint8_t> rgba) {
  Image image{width, height, 3, {}};
  image.pixels.reserve(rgba.size() / 4 * 3);
  for (std::size_t i = 0; i + 3 < rgba.size(); i += 4) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      image.pixels.push_back(
          static_cast<std::uint8_t>((rgba[i + channel] * rgba[i + 3] + 127) / 255));
    }
  }
  return image;
}

}  // namespace onnxop
