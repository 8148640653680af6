#include "onnxop/nn/layout.h"

#include <array>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

Type data_type(bool bfloat16) {
  return bfloat16 ? Type::bf16 : Type::f32;
}

dnnl::memory::dims dims_of(const Layout& layout) {
  if (layout.image) {
    return {layout.samples, layout.padded, layout.height, layout.width};
  }
  return {layout.samples, layout.padded};
}

Layout with_block(Layout layout, std::int64_t block, Tag tag) {
  layout.block = block;
  layout.blocks = layout.padded / block;
  layout.desc = dnnl::memory::desc(dims_of(layout), data_type(layout.bfloat16), tag);
  return layout;
}

}  // namespace

Layout plain_image(std::int64_t samples, std::int64_t channels, std::int64_t height,
                   std::int64_t width, bool bfloat16) {
  Layout layout{.samples = samples,
                .channels = channels,
                .padded = channels,
                .height = height,
                .width = width,
                .bfloat16 = bfloat16};
  return with_block(layout, 1, Tag::nchw);
}

Layout padded_image(std::int64_t samples, std::int64_t channels, std::int64_t height,
                    std::int64_t width, bool bfloat16) {
  Layout layout = plain_image(samples, channels, height, width, bfloat16);
  layout.padded = (channels + 15) / 16 * 16;
  return with_block(layout, 1, Tag::nchw);
}

Layout channels_last(const Layout& like) {
  return with_block(like, like.padded, Tag::nhwc);
}

Layout plain_vector(std::int64_t samples, std::int64_t size, bool bfloat16) {
  Layout layout{
      .samples = samples, .channels = size, .padded = size, .bfloat16 = bfloat16, .image = false};
  return with_block(layout, size, Tag::ab);
}

Layout recognise(const dnnl::memory::desc& desc, const Layout& like, const std::string& node) {
  if (!like.image) {
    const Layout plain = with_block(like, like.padded, Tag::ab);
    if (plain.desc == desc) {
      return plain;
    }
  } else {
    const std::array<std::pair<std::int64_t, Tag>, 4> known{
        {{16, Tag::nChw16c}, {8, Tag::nChw8c}, {1, Tag::nchw}, {like.padded, Tag::nhwc}}};
    for (const auto& [block, tag] : known) {
      if (like.padded % block != 0) {
        continue;
      }
      if (const Layout layout = with_block(like, block, tag); layout.desc == desc) {
        return layout;
      }
    }
  }
  fail(ErrorCode::kInternal, "node '{}': oneDNN chose a layout that this program does not know",
       node);
}

dnnl::memory::desc any_layout(const Layout& layout) {
  return {dims_of(layout), data_type(layout.bfloat16), Tag::any};
}

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

}  // namespace onnxop
