#pragma once
// How a value lies in memory: one description for oneDNN and for this room's own kernels. Private
// to this room.

#include <cstdint>
#include <string>

#include <dnnl.hpp>

#include "onnxop/tensor/tensor.h"

namespace onnxop {

/// A batch piece of images (N, C, H, W) or of vectors (N, C; then H = W = 1). In memory, a sample
/// is `blocks` runs of height * width pixels of `block` channels each: block 1 is NCHW, block 8 or
/// 16 oneDNN's blocked layouts, block C NHWC or vectors.
///
/// oneDNN has fast convolutions for channels in sixteens, and only its reference for many other
/// numbers. So the images between operators are padded: oneDNN sees `padded` channels, of which the
/// first `channels` mean something. Weights that would read or make the others are zero, so
/// whatever an activation makes of them reaches nobody.
struct Layout {
  dnnl::memory::desc desc{};
  std::int64_t samples = 0, channels = 0, padded = 0, height = 1, width = 1;
  std::int64_t blocks = 0, block = 0;
  bool bfloat16 = false;
  bool image = true;  // four dimensions, not two

  std::int64_t sample_size() const {
    return blocks * height * width * block;
  }  // elements, spare ones included
  std::size_t bytes() const {
    return static_cast<std::size_t>(samples * sample_size()) * (bfloat16 ? 2 : 4);
  }
};

/// Channels-first images.
Layout plain_image(std::int64_t samples, std::int64_t channels, std::int64_t height,
                   std::int64_t width, bool bfloat16);

/// The same with channels padded to the next multiple of 16.
Layout padded_image(std::int64_t samples, std::int64_t channels, std::int64_t height,
                    std::int64_t width, bool bfloat16);

/// Vectors.
Layout plain_vector(std::int64_t samples, std::int64_t size, bool bfloat16);

/// What oneDNN chose for a value of the size of `like`, which is NCHW, NHWC, nChw8c or nChw16c (or,
/// for two dimensions, plain). Throws Error{kInternal} naming `node` for any other choice.
Layout recognise(const dnnl::memory::desc& desc, const Layout& like, const std::string& node);

/// NHWC, of the size of `like`: the same memory where `like` is one run of pixels (`blocks` 1).
Layout channels_last(const Layout& like);

/// The same size with the layout left to oneDNN.
dnnl::memory::desc any_layout(const Layout& layout);

/// The processor's engine, one for the process.
const dnnl::engine& cpu_engine();

}  // namespace onnxop
