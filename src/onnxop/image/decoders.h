#pragma once
// One decoder a format, each on bytes whose first ones fit it. Private to this room.
//
// read_…_header looks at the header alone; decode_… gives grey or RGB pixels. Both throw
// Error{kInvalidArgument} for what is damaged or ends too early. Decoders may trust that the
// header's pixels are within the limits.

#include <cstddef>
#include <span>
#include <string_view>

#include "onnxop/image/codec.h"

namespace onnxop {

using ByteSpan = std::span<const std::byte>;

ImageHeader read_png_header(ByteSpan bytes);
Image decode_png(ByteSpan bytes);

ImageHeader read_jpeg_header(ByteSpan bytes);
Image decode_jpeg(ByteSpan bytes);

ImageHeader read_webp_header(ByteSpan bytes);
Image decode_webp(ByteSpan bytes);

ImageHeader read_bmp_header(ByteSpan bytes);
ImageHeader read_gif_header(ByteSpan bytes);
ImageHeader read_pnm_header(ByteSpan bytes);
/// BMP, GIF and PNM, after their own checks that nothing is missing.
Image decode_bmp(ByteSpan bytes);
Image decode_gif(ByteSpan bytes);
Image decode_pnm(ByteSpan bytes);

/// RGBA laid over black.
Image over_black(int width, int height, std::span<const std::uint8_t> rgba);

}  // namespace onnxop
