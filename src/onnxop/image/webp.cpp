#include <utility>

#include <webp/decode.h>

#include "onnxop/base/error.h"
#include "onnxop/image/decoders.h"

namespace onnxop {
namespace {

const std::uint8_t* data_of(ByteSpan bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

WebPBitstreamFeatures features_of(ByteSpan bytes) {
  WebPBitstreamFeatures features{};
  const VP8StatusCode status = WebPGetFeatures(data_of(bytes), bytes.size(), &features);
  if (status != VP8_STATUS_OK) {
    fail(ErrorCode::kInvalidArgument, "WebP image is {}",
         status == VP8_STATUS_NOT_ENOUGH_DATA ? "truncated" : "damaged");
  }
  if (features.has_animation != 0) {
    fail(ErrorCode::kInvalidArgument, "WebP image is animated, expected a still one");
  }
  return features;
}

}  // namespace

ImageHeader read_webp_header(ByteSpan bytes) {
  const auto features = features_of(bytes);
  return {"webp", features.width, features.height};
}

Image decode_webp(ByteSpan bytes) {
  const auto features = features_of(bytes);
  const bool alpha = features.has_alpha != 0;
  const std::size_t row = static_cast<std::size_t>(features.width) * (alpha ? 4 : 3);
  std::vector<std::uint8_t> pixels(row * static_cast<std::size_t>(features.height));
  const auto* decoded = alpha ? WebPDecodeRGBAInto(data_of(bytes), bytes.size(), pixels.data(),
                                                   pixels.size(), static_cast<int>(row))
                              : WebPDecodeRGBInto(data_of(bytes), bytes.size(), pixels.data(),
                                                  pixels.size(), static_cast<int>(row));
  if (decoded == nullptr) {
    fail(ErrorCode::kInvalidArgument, "WebP image is truncated or damaged");
  }
  if (alpha) {
    return over_black(features.width, features.height, pixels);
  }
  return {features.width, features.height, 3, std::move(pixels)};
}

}  // namespace onnxop
