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
Image decode_bmp(ByteSpan bytes);
Image decode_gif(ByteSpan bytes);
Image decode_pnm(ByteSpan bytes);

/// What stb makes of bytes that are whole, as RGB; `kind` names the format in errors.
Image decode_with_stb(ByteSpan bytes, std::string_view kind);

/// Throws Error{kInvalidArgument} for a size below 1, channels other than 1 and 3, and pixels of
/// another count than they say.
void check_image(const Image& image);

/// RGBA laid over black.
Image over_black(int width, int height, std::span<const std::uint8_t> rgba);

}  // namespace onnxop
