// BMP and GIF with stb, PNM by hand. Headers and completeness are checked here, since stb fills
// what is missing with zeros or stops early without a word.

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <memory>
#include <utility>

#include <stb_image.h>

#include "onnxop/base/error.h"
#include "onnxop/image/decoders.h"

namespace onnxop {
namespace {

/// Reads numbers from the front; running out of bytes is an error that names the format.
class Cursor {
 public:
  Cursor(ByteSpan bytes, std::string_view name) : bytes_(bytes), format_(name) {}

  std::size_t at() const { return at_; }

  void skip(std::size_t n) {
    if (n > bytes_.size() - at_) {
      fail(ErrorCode::kInvalidArgument, "{} image is truncated: {} bytes, expected {} or more",
           format_, bytes_.size(), at_ + n);
    }
    at_ += n;
  }

  std::uint32_t u8() {
    skip(1);
    return std::to_integer<std::uint32_t>(bytes_[at_ - 1]);
  }

  std::uint32_t u16() {
    const std::uint32_t low = u8();
    return low | u8() << 8;
  }

  std::uint32_t u32() {
    const std::uint32_t low = u16();
    return low | u16() << 16;
  }

  [[noreturn]] void refuse(std::string_view problem) const {
    fail(ErrorCode::kInvalidArgument, "{} image: {}", format_, problem);
  }

 private:
  ByteSpan bytes_;
  std::string_view format_;
  std::size_t at_ = 0;
};

struct BmpHeader {
  std::int64_t width = 0, height = 0;
  std::uint32_t pixels_at = 0, bits = 0, compression = 0;
};

BmpHeader parse_bmp(ByteSpan bytes) {
  Cursor cursor(bytes, "BMP");
  cursor.skip(10);
  BmpHeader header;
  header.pixels_at = cursor.u32();
  const std::uint32_t info = cursor.u32();
  if (info == 12) {
    header.width = cursor.u16();
    header.height = cursor.u16();
  } else if (info >= 40 && info <= 124) {
    header.width = static_cast<std::int32_t>(cursor.u32());
    header.height = std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(cursor.u32())));
  } else {
    cursor.refuse(format("an information header of {} bytes, expected 12, or 40 to 124", info));
  }
  cursor.skip(2);
  header.bits = cursor.u16();
  header.compression = info == 12 ? 0 : cursor.u32();
  return header;
}

struct PnmHeader {
  std::int64_t width = 0, height = 0, maximum = 0;
  int channels = 1;
  std::size_t pixels_at = 0;
};

PnmHeader parse_pnm(ByteSpan bytes) {
  Cursor cursor(bytes, "PNM");
  cursor.skip(1);
  PnmHeader header;
  header.channels = cursor.u8() == '6' ? 3 : 1;
  std::uint32_t next = cursor.u8();
  const auto number = [&] {
    while (next == ' ' || next == '\t' || next == '\r' || next == '\n' || next == '#') {
      if (next == '#') {
        while (next != '\n') {
          next = cursor.u8();
        }
      }
      next = cursor.u8();
    }
    std::int64_t value = 0;
    bool digits = false;
    for (; next >= '0' && next <= '9' && value <= INT_MAX; next = cursor.u8()) {
      value = value * 10 + (next - '0');
      digits = true;
    }
    if (!digits || value > INT_MAX) {
      cursor.refuse("its header has no number where one was expected");
    }
    return value;
  };
  header.width = number();
  header.height = number();
  header.maximum = number();
  header.pixels_at = cursor.at();
  if (header.maximum < 1 || header.maximum > 65535) {
    cursor.refuse(format("its largest value is {}, expected 1 to 65535", header.maximum));
  }
  return header;
}

/// Walks over a GIF's blocks to the end of its first picture.
void check_gif(ByteSpan bytes) {
  Cursor cursor(bytes, "GIF");
  cursor.skip(10);
  const std::uint32_t flags = cursor.u8();
  cursor.skip(2);
  const auto skip_palette = [&](std::uint32_t packed) {
    if ((packed & 0x80) != 0) {
      cursor.skip(std::size_t{3} << ((packed & 7) + 1));
    }
  };
  const auto skip_blocks = [&] {
    while (const std::uint32_t size = cursor.u8()) {
      cursor.skip(size);
    }
  };
  skip_palette(flags);
  while (true) {
    const std::uint32_t introducer = cursor.u8();
    if (introducer == 0x21) {
      cursor.skip(1);
      skip_blocks();
    } else if (introducer == 0x2C) {
      cursor.skip(8);
      skip_palette(cursor.u8());
      cursor.skip(1);
      skip_blocks();
      return;
    } else {
      cursor.refuse(introducer == 0x3B ? "it holds no picture" : "it is damaged");
    }
  }
}

int as_size(std::int64_t size, std::string_view name) {
  if (size < 0 || size > INT_MAX) {
    fail(ErrorCode::kInvalidArgument, "{} image: a side of {} pixels", name, size);
  }
  return static_cast<int>(size);
}

Image decode_with_stb(ByteSpan bytes, std::string_view name) {
  if (bytes.size() > INT_MAX) {
    fail(ErrorCode::kTooLarge, "{} image of {} bytes, expected less than 2 GiB", name,
         bytes.size());
  }
  int width = 0;
  int height = 0;
  int channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()),
                            static_cast<int>(bytes.size()), &width, &height, &channels, 4),
      stbi_image_free);
  if (!pixels) {
    fail(ErrorCode::kInvalidArgument, "{} image is damaged or of an unknown kind: {}", name,
         stbi_failure_reason());
  }
  const auto size = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4;
  return over_black(width, height, {pixels.get(), size});
}

}  // namespace

ImageHeader read_bmp_header(ByteSpan bytes) {
  const BmpHeader header = parse_bmp(bytes);
  return {"bmp", as_size(header.width, "BMP"), as_size(header.height, "BMP")};
}

ImageHeader read_gif_header(ByteSpan bytes) {
  Cursor cursor(bytes, "GIF");
  cursor.skip(6);
  const auto width = static_cast<int>(cursor.u16());
  return {"gif", width, static_cast<int>(cursor.u16())};
}

ImageHeader read_pnm_header(ByteSpan bytes) {
  const PnmHeader header = parse_pnm(bytes);
  return {"pnm", as_size(header.width, "PNM"), as_size(header.height, "PNM")};
}

Image decode_bmp(ByteSpan bytes) {
  constexpr std::uint32_t kUncompressed = 0;
  constexpr std::uint32_t kBitFields = 3;
  const BmpHeader header = parse_bmp(bytes);
  if (header.compression != kUncompressed && header.compression != kBitFields) {
    fail(ErrorCode::kInvalidArgument, "BMP image: compression {} is not known, expected none",
         header.compression);
  }
  const std::int64_t row = (header.width * header.bits + 31) / 32 * 4;
  const std::int64_t needed = header.pixels_at + row * header.height;
  if (static_cast<std::int64_t>(bytes.size()) < needed) {
    fail(ErrorCode::kInvalidArgument, "BMP image is truncated: {} bytes, expected {}", bytes.size(),
         needed);
  }
  return decode_with_stb(bytes, "BMP");
}

Image decode_gif(ByteSpan bytes) {
  check_gif(bytes);
  return decode_with_stb(bytes, "GIF");
}

Image decode_pnm(ByteSpan bytes) {
  const PnmHeader header = parse_pnm(bytes);
  const std::size_t sample = header.maximum > 255 ? 2 : 1;
  const auto values = static_cast<std::size_t>(header.width * header.height * header.channels);
  if (bytes.size() - header.pixels_at < values * sample) {
    fail(ErrorCode::kInvalidArgument, "PNM image is truncated: {} bytes of pixels, expected {}",
         bytes.size() - header.pixels_at, values * sample);
  }
  Image image{static_cast<int>(header.width), static_cast<int>(header.height), header.channels, {}};
  image.pixels.reserve(values);
  for (std::size_t i = 0; i < values; ++i) {
    std::int64_t value = 0;
    for (std::size_t k = 0; k < sample; ++k) {
      value = value << 8 | std::to_integer<std::int64_t>(bytes[header.pixels_at + i * sample + k]);
    }
    image.pixels.push_back(static_cast<std::uint8_t>(
        (std::min(value, header.maximum) * 255 + header.maximum / 2) / header.maximum));
  }
  return image;
}

}  // namespace onnxop
