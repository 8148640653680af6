// An image's bytes to a model's input: the header, the decoder within its limits, colour, size and
// layout.

#include <array>

#include "fuzz/fuzz.h"
#include "onnxop/image/codec.h"
#include "onnxop/preprocess/preprocess.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMostPixels = 1U << 16;

void fuzz_image(std::span<const std::byte> bytes) {
  fuzz::allow({ErrorCode::kInvalidArgument}, [&] {
    const ImageHeader header = probe_image(bytes);
    fuzz::require(header.width > 0 && header.height > 0);
  });
  Image image = decode_image(bytes, {.max_pixels = kMostPixels});
  fuzz::require(image.width > 0 && image.height > 0);
  fuzz::require(image.channels == 1 || image.channels == 3);
  fuzz::require(std::int64_t{image.width} * image.height <= kMostPixels);
  fuzz::require(image.pixels.size() == static_cast<std::size_t>(image.width) *
                                           static_cast<std::size_t>(image.height) *
                                           static_cast<std::size_t>(image.channels));

  ImageInput input;
  input.width = 13;
  input.height = 7;
  input.color = image.pixels.front() % 2 == 0 ? ImageColor::kGray : ImageColor::kRgb;
  constexpr std::array kMethods{ImageResize::kArea, ImageResize::kBilinear, ImageResize::kNearest};
  input.resize = kMethods[image.pixels.back() % kMethods.size()];
  const std::array images{std::move(image)};
  const Tensor tensor = images_to_tensor(images, input, DType::kFloat32);
  for (const float value : tensor.values<float>()) {
    fuzz::require(value >= 0 && value <= 255);
  }
}

}  // namespace
}  // namespace onnxop

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using onnxop::ErrorCode;
  onnxop::fuzz::allow({ErrorCode::kInvalidArgument, ErrorCode::kTooLarge},
                      [&] { onnxop::fuzz_image(onnxop::fuzz::bytes_of(data, size)); });
  return 0;
}
