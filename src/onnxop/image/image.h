#pragma once
// Image: rows of pixels, 8 bits a channel, HWC, no padding; and what turns one into another. Values
// are plain, every function may be called from any thread.

#include <cstdint>
#include <vector>

namespace onnxop {

struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;                  // 1 grey, 3 RGB
  std::vector<std::uint8_t> pixels;  // height * width * channels
};

/// Luma by ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B), rounded; a grey image as it is.
Image to_gray(Image image);

/// Grey repeated to three channels; an RGB image as it is.
Image to_rgb(Image image);

enum class ResizeMethod {
  kArea,      // each target pixel is the mean of the source area it covers; enlarging: as bilinear
  kBilinear,  // half-pixel centres, edges clamped, no anti-aliasing
  kNearest,   // half-pixel centres
};

/// Throws Error{kInvalidArgument} for a size below 1.
Image resize(const Image& image, int width, int height, ResizeMethod method);

}  // namespace onnxop
