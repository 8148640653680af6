#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#include <spng.h>

#include "onnxop/base/error.h"
#include "onnxop/image/decoders.h"

namespace onnxop {
namespace {

using Context = std::unique_ptr<spng_ctx, void (*)(spng_ctx*)>;

Context make_context(int flags) {
  Context context(spng_ctx_new(flags), spng_ctx_free);
  if (!context) {
    throw std::bad_alloc();
  }
  return context;
}

void check(int code) {
  if (code == SPNG_ECHUNK_LIMITS) {
    fail(ErrorCode::kTooLarge, "PNG image: what it holds beside its pixels is too large");
  }
  if (code != 0) {
    const bool short_of_bytes = code == SPNG_EOF || code == SPNG_IO_EOF;
    fail(ErrorCode::kInvalidArgument, "PNG image is {}: {}",
         short_of_bytes ? "truncated" : "damaged", spng_strerror(code));
  }
}

spng_ihdr open_png(spng_ctx* context, ByteSpan bytes) {
  check(spng_set_png_buffer(context, bytes.data(), bytes.size()));
  spng_ihdr header{};
  check(spng_get_ihdr(context, &header));
  return header;
}

/// Everything up to the end chunk is there and whole; spng stops reading behind the pixels.
void check_end(ByteSpan bytes) {
  constexpr std::size_t kSignature = 8;
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
    }
    return value;
  };
  constexpr std::uint32_t kEnd = 0x49454E44;  // "IEND"
  for (std::size_t at = kSignature; at + 12 <= bytes.size();) {
    if (word(at + 4) == kEnd) {
      return;
    }
    at += 12 + static_cast<std::size_t>(word(at));
  }
  fail(ErrorCode::kInvalidArgument, "PNG image is truncated: its end chunk is missing");
}

bool has_transparency(spng_ctx* context, const spng_ihdr& header) {
  spng_trns transparency{};
  const int code = spng_get_trns(context, &transparency);
  if (code != SPNG_ECHUNKAVAIL) {
    check(code);
  }
  return code == 0 || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
         header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
}

}  // namespace

ImageHeader read_png_header(ByteSpan bytes) {
  const Context context = make_context(0);
  const spng_ihdr header = open_png(context.get(), bytes);
  return {"png", static_cast<int>(header.width), static_cast<int>(header.height)};
}

Image decode_png(ByteSpan bytes) {
  // Of what is no pixel: a compressed text or profile of a few bytes may unfold to gigabytes.
  constexpr std::size_t kMostChunkBytes = std::size_t{16} << 20;
  const Context context = make_context(0);
  check(spng_set_chunk_limits(context.get(), kMostChunkBytes, 2 * kMostChunkBytes));
  check(spng_set_crc_action(context.get(), SPNG_CRC_ERROR, SPNG_CRC_USE));
  const spng_ihdr header = open_png(context.get(), bytes);
  check_end(bytes);
  const bool gray = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE ||
                    header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  const bool transparent = has_transparency(context.get(), header);
  const spng_format pixels_as = transparent                     ? SPNG_FMT_RGBA8
                                : gray && header.bit_depth <= 8 ? SPNG_FMT_G8
                                                                : SPNG_FMT_RGB8;
  std::size_t size = 0;
  check(spng_decoded_image_size(context.get(), pixels_as, &size));
  std::vector<std::uint8_t> pixels(size);
  check(spng_decode_image(context.get(), pixels.data(), size, pixels_as, SPNG_DECODE_TRNS));
  const auto width = static_cast<int>(header.width);
  const auto height = static_cast<int>(header.height);
  if (pixels_as == SPNG_FMT_G8) {
    return {width, height, 1, std::move(pixels)};
  }
  Image image =
      transparent ? over_black(width, height, pixels) : Image{width, height, 3, std::move(pixels)};
  return gray ? to_gray(std::move(image)) : image;
}

std::vector<std::byte> encode_png(const Image& image) {
  check_image(image);
  const Context context = make_context(SPNG_CTX_ENCODER);
  check(spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1));
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(image.width);
  header.height = static_cast<std::uint32_t>(image.height);
  header.bit_depth = 8;
  header.color_type = image.channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR;
  check(spng_set_ihdr(context.get(), &header));
  check(spng_encode_image(context.get(), image.pixels.data(), image.pixels.size(), SPNG_FMT_PNG,
                          SPNG_ENCODE_FINALIZE));
  std::size_t size = 0;
  int error = 0;
  const std::unique_ptr<void, void (*)(void*)> buffer(
      spng_get_png_buffer(context.get(), &size, &error), std::free);
  check(error);
  const auto* begin = static_cast<const std::byte*>(buffer.get());
  return {begin, begin + size};
}

}  // namespace onnxop
