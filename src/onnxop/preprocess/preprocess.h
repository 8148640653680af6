#pragma once
// Image -> tensor as the contract says: the one function that training, score and the server share,
// so that what a model is served is what it was trained on. Safe from any thread.

#include <span>
#include <vector>

#include "onnxop/image/image.h"
#include "onnxop/onnx/contract.h"
#include "onnxop/tensor/tensor.h"

namespace onnxop {

/// Colour and size as the contract says; an image that has them already comes back as it is.
Image fit_image(Image image, const ImageInput& input);

/// Pixels of a fitted image (HWC) to one sample's elements in the contract's layout, scaled. Both
/// spans hold height * width * channels elements; Error{kInvalidArgument} otherwise.
void pixels_to_values(std::span<const std::uint8_t> pixels, const ImageInput& input,
                      std::span<float> values);

/// [images, H, W, C] or [images, C, H, W]; -1 images: a free dimension.
Shape image_batch_shape(std::int64_t images, const ImageInput& input);

/// Fits each image and joins all to one tensor [N, H, W, C] or [N, C, H, W], float32 or uint8
/// (`dtype`, the model's input type). Throws Error{kUnsupported} for another type, and for uint8
/// with a scaling other than 1.
Tensor images_to_tensor(std::span<const Image> images, const ImageInput& input, DType dtype);

}  // namespace onnxop
