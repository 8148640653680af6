#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/image/cursor.h"
#include "onnxop/image/decoders.h"

namespace onnxop {
namespace {

struct PnmHeader {
  int width = 0, height = 0;
  std::int64_t maximum = 0;
  int channels = 1;
  std::size_t pixels_at = 0;
};

bool is_space(std::uint32_t byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/// The next byte of the header; a comment reads as the end of its line.
std::uint32_t read_byte(Cursor& cursor) {
  std::uint32_t next = cursor.u8();
  if (next == '#') {
    while (next != '\n' && next != '\r') {
      next = cursor.u8();
    }
  }
  return next;
}

/// A number with white space before it and one such byte behind it.
std::int64_t read_number(Cursor& cursor) {
  std::uint32_t next = read_byte(cursor);
  while (is_space(next)) {
    next = read_byte(cursor);
  }
  std::int64_t value = 0;
  bool digits = false;
  for (; next >= '0' && next <= '9' && value <= INT_MAX; next = read_byte(cursor)) {
    value = value * 10 + (next - '0');
    digits = true;
  }
  if (!digits || value > INT_MAX || !is_space(next)) {
    cursor.refuse("its header has no number where one was expected");
  }
  return value;
}

PnmHeader parse_pnm(ByteSpan bytes) {
  Cursor cursor(bytes, "PNM");
  cursor.skip(1);
  PnmHeader header;
  header.channels = cursor.u8() == '6' ? 3 : 1;
  header.width = cursor.side(read_number(cursor));
  header.height = cursor.side(read_number(cursor));
  header.maximum = read_number(cursor);
  header.pixels_at = cursor.at();
  if (header.maximum < 1 || header.maximum > 65535) {
    cursor.refuse(format("its largest value is {}, expected 1 to 65535", header.maximum));
  }
  return header;
}

}  // namespace

ImageHeader read_pnm_header(ByteSpan bytes) {
  const PnmHeader header = parse_pnm(bytes);
  return {"pnm", header.width, header.height};
}

Image decode_pnm(ByteSpan bytes) {
  const PnmHeader header = parse_pnm(bytes);
  const std::size_t sample = header.maximum > 255 ? 2 : 1;
  const std::size_t row =
      static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.channels) * sample;
  const auto rows = static_cast<std::size_t>(header.height);
  const ByteSpan pixels = bytes.subspan(header.pixels_at);
  if (pixels.size() / row < rows) {
    fail(ErrorCode::kInvalidArgument,
         "PNM image is truncated: {} bytes of pixels, expected {} rows of {}", pixels.size(), rows,
         row);
  }
  Image image{header.width, header.height, header.channels, {}};
  image.pixels.reserve(rows * row / sample);
  for (std::size_t at = 0; at < rows * row; at += sample) {
    std::int64_t value = std::to_integer<std::int64_t>(pixels[at]);
    if (sample == 2) {
      value = value << 8 | std::to_integer<std::int64_t>(pixels[at + 1]);
    }
    image.pixels.push_back(static_cast<std::uint8_t>(
        (std::min(value, header.maximum) * 255 + header.maximum / 2) / header.maximum));
  }
  return image;
}

}  // namespace onnxop
