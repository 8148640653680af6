#pragma once
// Numbers read from the front of bytes, little-endian. Private to this room.

#include <climits>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "onnxop/base/error.h"

namespace onnxop {

/// Running out of bytes is an Error{kInvalidArgument} that names the image's format.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, std::string_view kind) : bytes_(bytes), kind_(kind) {}

  std::size_t at() const { return at_; }

  void skip(std::size_t n) {
    if (n > bytes_.size() - at_) {
      fail(ErrorCode::kInvalidArgument, "{} image is truncated: {} bytes, expected {} or more",
           kind_, bytes_.size(), at_ + n);
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
    fail(ErrorCode::kInvalidArgument, "{} image: {}", kind_, problem);
  }

  /// A side of an image as it is given in ImageHeader.
  int side(std::int64_t size) const {
    if (size < 0 || size > INT_MAX) {
      fail(ErrorCode::kInvalidArgument, "{} image: a side of {} pixels", kind_, size);
    }
    return static_cast<int>(size);
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view kind_;
  std::size_t at_ = 0;
};

}  // namespace onnxop
