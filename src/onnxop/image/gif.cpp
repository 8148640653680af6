#include <array>
#include <vector>

#include "onnxop/base/error.h"
#include "onnxop/image/cursor.h"
#include "onnxop/image/decoders.h"

namespace onnxop {
namespace {

/// Counts the pixels that compressed bytes (LZW, codes of growing width) stand for.
class PixelCount {
 public:
  PixelCount(const Cursor& cursor, std::uint32_t root_bits)
      : cursor_(cursor), root_bits_(root_bits) {
    if (root_bits < 1 || root_bits >= kMostBits) {
      cursor.refuse(format("its codes begin with {} bits, expected 1 to 11", root_bits));
    }
    clear_ = 1U << root_bits;
    lengths_.fill(1);
    reset();
  }

  std::int64_t pixels() const { return pixels_; }

  void add(std::uint32_t byte) {
    bits_ |= byte << held_;
    for (held_ += 8; held_ >= width_ && !ended_;) {
      const std::uint32_t code = bits_ & ((1U << width_) - 1);
      bits_ >>= width_;
      held_ -= width_;
      take(code);
    }
    if (ended_) {
      bits_ = held_ = 0;
    }
  }

 private:
  static constexpr std::uint32_t kMostBits = 12;
  static constexpr std::uint32_t kNone = 1U << kMostBits;

  void reset() {
    width_ = root_bits_ + 1;
    next_ = clear_ + 2;
    previous_ = kNone;
  }

  void take(std::uint32_t code) {
    if (code == clear_) {
      reset();
      return;
    }
    if (code == clear_ + 1) {
      ended_ = true;
      return;
    }
    if (previous_ != kNone && next_ < kNone) {
      lengths_[next_++] = lengths_[previous_] + 1;
    }
    if (code >= next_) {
      cursor_.refuse("its compressed pixels are damaged");
    }
    pixels_ += lengths_[code];
    previous_ = code;
    if (next_ == 1U << width_ && width_ < kMostBits) {
      ++width_;
    }
  }

  const Cursor& cursor_;
  std::uint32_t root_bits_ = 0, clear_ = 0;
  std::array<std::int32_t, kNone> lengths_{};  // pixels that each code stands for
  std::uint32_t width_ = 0, next_ = 0, previous_ = kNone;
  std::uint32_t bits_ = 0, held_ = 0;
  std::int64_t pixels_ = 0;
  bool ended_ = false;
};

void skip_palette(Cursor& cursor, std::uint32_t packed) {
  if ((packed & 0x80) != 0) {
    cursor.skip(std::size_t{3} << ((packed & 7) + 1));
  }
}

void skip_blocks(Cursor& cursor) {
  while (const std::uint32_t size = cursor.u8()) {
    cursor.skip(size);
  }
}

void check_picture(Cursor& cursor) {
  cursor.skip(4);
  const std::int64_t width = cursor.u16();
  const std::int64_t height = cursor.u16();
  skip_palette(cursor, cursor.u8());
  PixelCount count(cursor, cursor.u8());
  while (const std::uint32_t size = cursor.u8()) {
    for (std::uint32_t i = 0; i < size; ++i) {
      count.add(cursor.u8());
    }
  }
  if (count.pixels() < width * height) {
    fail(ErrorCode::kInvalidArgument, "GIF image is truncated: {} pixels, expected {} x {}",
         count.pixels(), width, height);
  }
}

/// Walks over the blocks to the end of the first picture.
void check_gif(ByteSpan bytes) {
  constexpr std::uint32_t kExtension = 0x21;
  constexpr std::uint32_t kPicture = 0x2C;
  constexpr std::uint32_t kTrailer = 0x3B;
  Cursor cursor(bytes, "GIF");
  cursor.skip(10);
  const std::uint32_t packed = cursor.u8();
  cursor.skip(2);
  skip_palette(cursor, packed);
  std::uint32_t introducer = cursor.u8();
  for (; introducer == kExtension; introducer = cursor.u8()) {
    cursor.skip(1);
    skip_blocks(cursor);
  }
  if (introducer != kPicture) {
    cursor.refuse(introducer == kTrailer ? "it holds no picture" : "its blocks are damaged");
  }
  check_picture(cursor);
}

}  // namespace

ImageHeader read_gif_header(ByteSpan bytes) {
  Cursor cursor(bytes, "GIF");
  cursor.skip(6);
  const int width = cursor.side(cursor.u16());
  return {"gif", width, cursor.side(cursor.u16())};
}

/// stb leaves pixels that are missing as background without a word, so they are counted first.
Image decode_gif(ByteSpan bytes) {
  // stb would paint the background's colour behind the picture, which nothing else does any more;
  // number 0 it leaves alone.
  constexpr std::size_t kBackgroundAt = 11;
  check_gif(bytes);
  std::vector<std::byte> plain(bytes.begin(), bytes.end());
  plain[kBackgroundAt] = std::byte{0};
  return decode_with_stb(plain, "GIF");
}

}  // namespace onnxop
