#include "onnxop/preprocess/preprocess.h"

#include <algorithm>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

ResizeMethod resize_method(ImageResize resize) {
  switch (resize) {
    case ImageResize::kArea:
      return ResizeMethod::kArea;
    case ImageResize::kBilinear:
      return ResizeMethod::kBilinear;
    case ImageResize::kNearest:
      return ResizeMethod::kNearest;
  }
  return ResizeMethod::kArea;
}

std::size_t channels_of(const ImageInput& input) {
  return input.color == ImageColor::kGray ? 1 : 3;
}

std::size_t pixels_of(const ImageInput& input) {
  return static_cast<std::size_t>(input.width) * static_cast<std::size_t>(input.height);
}

bool is_raw(const ImageInput& input) {
  return input.scale == 1.0F && input.mean.empty() && input.std_dev.empty();
}

float channel_value(const std::vector<float>& values, std::size_t channel, float otherwise) {
  return values.empty() ? otherwise : values[std::min(channel, values.size() - 1)];
}

/// Where element (pixel, channel) of a sample goes.
std::size_t position(const ImageInput& input, std::size_t pixel, std::size_t channel) {
  return input.layout == ImageLayout::kNhwc ? pixel * channels_of(input) + channel
                                            : channel * pixels_of(input) + pixel;
}

void place_pixels(std::span<const std::uint8_t> pixels, const ImageInput& input,
                  std::span<std::uint8_t> to) {
  const std::size_t channels = channels_of(input);
  for (std::size_t pixel = 0; pixel < pixels_of(input); ++pixel) {
    for (std::size_t channel = 0; channel < channels; ++channel) {
      to[position(input, pixel, channel)] = pixels[pixel * channels + channel];
    }
  }
}

}  // namespace

Shape image_batch_shape(std::int64_t images, const ImageInput& input) {
  const auto channels = static_cast<std::int64_t>(channels_of(input));
  return input.layout == ImageLayout::kNhwc ? Shape{images, input.height, input.width, channels}
                                            : Shape{images, channels, input.height, input.width};
}

Image fit_image(Image image, const ImageInput& input) {
  Image colored =
      input.color == ImageColor::kGray ? to_gray(std::move(image)) : to_rgb(std::move(image));
  if (colored.width == input.width && colored.height == input.height) {
    return colored;
  }
  return resize(colored, input.width, input.height, resize_method(input.resize));
}

void pixels_to_values(std::span<const std::uint8_t> pixels, const ImageInput& input,
                      std::span<float> values) {
  const std::size_t channels = channels_of(input);
  const std::size_t size = pixels_of(input) * channels;
  if (pixels.size() != size || values.size() != size) {
    fail(ErrorCode::kInvalidArgument, "{} pixel bytes to {} values, expected {} x {} x {}",
         pixels.size(), values.size(), input.height, input.width, channels);
  }
  if (is_raw(input) && (input.layout == ImageLayout::kNhwc || channels == 1)) {
    std::copy(pixels.begin(), pixels.end(), values.begin());
    return;
  }
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const float mean = channel_value(input.mean, channel, 0);
    const float deviation = channel_value(input.std_dev, channel, 1);
    for (std::size_t pixel = 0; pixel < pixels_of(input); ++pixel) {
      const auto raw = static_cast<float>(pixels[pixel * channels + channel]);
      values[position(input, pixel, channel)] = (raw - mean) * input.scale / deviation;
    }
  }
}

Tensor images_to_tensor(std::span<const Image> images, const ImageInput& input, DType dtype) {
  if (dtype != DType::kFloat32 && dtype != DType::kUint8) {
    fail(ErrorCode::kUnsupported, "input '{}' is {}, images become float32 or uint8", input.name,
         dtype_name(dtype));
  }
  if (dtype == DType::kUint8 && !is_raw(input)) {
    fail(ErrorCode::kUnsupported,
         "input '{}' is uint8, which holds raw pixels only, but the contract scales them",
         input.name);
  }
  Tensor tensor(dtype, image_batch_shape(static_cast<std::int64_t>(images.size()), input));
  const std::size_t size = pixels_of(input) * channels_of(input);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Image fitted = fit_image(images[i], input);
    if (dtype == DType::kFloat32) {
      pixels_to_values(fitted.pixels, input, tensor.values<float>().subspan(i * size, size));
    } else {
      place_pixels(fitted.pixels, input, tensor.values<std::uint8_t>().subspan(i * size, size));
    }
  }
  return tensor;
}

}  // namespace onnxop
