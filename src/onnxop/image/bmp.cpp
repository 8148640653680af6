#include <cstdlib>

#include "onnxop/base/error.h"
#include "onnxop/image/cursor.h"
#include "onnxop/image/decoders.h"

namespace onnxop {
namespace {

struct BmpHeader {
  int width = 0, height = 0;
  std::uint32_t pixels_at = 0, bits = 0, compression = 0;
};

BmpHeader parse_bmp(ByteSpan bytes) {
  Cursor cursor(bytes, "BMP");
  cursor.skip(10);
  BmpHeader header;
  header.pixels_at = cursor.u32();
  const std::uint32_t info = cursor.u32();
  if (info == 12) {
    header.width = cursor.side(cursor.u16());
    header.height = cursor.side(cursor.u16());
  } else if (info == 40 || info == 56 || info == 108 || info == 124) {
    header.width = cursor.side(static_cast<std::int32_t>(cursor.u32()));
    const auto height = static_cast<std::int32_t>(cursor.u32());
    header.height = cursor.side(std::abs(std::int64_t{height}));  // below zero: top row first
  } else {
    cursor.refuse(
        format("an information header of {} bytes, expected 12, 40, 56, 108 or 124", info));
  }
  cursor.skip(2);
  header.bits = cursor.u16();
  header.compression = info == 12 ? 0 : cursor.u32();
  return header;
}

}  // namespace

ImageHeader read_bmp_header(ByteSpan bytes) {
  const BmpHeader header = parse_bmp(bytes);
  return {"bmp", header.width, header.height};
}

/// stb fills rows that are missing without a word, so their presence is checked here.
Image decode_bmp(ByteSpan bytes) {
  constexpr std::uint32_t kUncompressed = 0;
  constexpr std::uint32_t kBitFields = 3;
  const BmpHeader header = parse_bmp(bytes);
  if (header.compression != kUncompressed && header.compression != kBitFields) {
    fail(ErrorCode::kInvalidArgument, "BMP image: compression {} is not known, expected none",
         header.compression);
  }
  if (header.bits < 1 || header.bits > 32) {
    fail(ErrorCode::kInvalidArgument, "BMP image of {} bits a pixel, expected 1 to 32",
         header.bits);
  }
  const std::uint64_t row = (static_cast<std::uint64_t>(header.width) * header.bits + 31) / 32 * 4;
  const std::uint64_t rows = static_cast<std::uint64_t>(header.height);
  if (bytes.size() < header.pixels_at || (bytes.size() - header.pixels_at) / row < rows) {
    fail(ErrorCode::kInvalidArgument,
         "BMP image is truncated: {} bytes, expected {} rows of {} from byte {} on", bytes.size(),
         rows, row, header.pixels_at);
  }
  return decode_with_stb(bytes, "BMP");
}

}  // namespace onnxop
