#pragma once
// This room's own loops over values, for float and bfloat16, compiled for several instruction sets
// where the compiler can. Private to this room. Spans of one call have equal sizes unless said
// otherwise.

#include <cstdint>

#include "onnxop/nn/layout.h"

namespace onnxop {

/// A bfloat16 value's bits.
using Bfloat16 = std::uint16_t;

float to_float(Bfloat16 value);
Bfloat16 to_bfloat16(float value);  // round to nearest even; NaN stays NaN

void convert(const float* from, Bfloat16* to, std::int64_t n);
void convert(const Bfloat16* from, float* to, std::int64_t n);

/// gradient[i] = output[i] > 0 ? gradient[i] : 0
void relu_backward(const float* output, float* gradient, std::int64_t n);
void relu_backward(const Bfloat16* output, Bfloat16* gradient, std::int64_t n);

/// to[i] = keep[i] ? from[i] * scale : 0
void apply_mask(const float* from, const std::uint8_t* keep, float scale, float* to,
                std::int64_t n);
void apply_mask(const Bfloat16* from, const std::uint8_t* keep, float scale, Bfloat16* to,
                std::int64_t n);

/// keep[i] is 0 with probability `rate` (in steps of 1/65536), decided by (seed, step, sample,
/// stream) and i alone: of each 128 elements, element 16 * k + lane has 16-bit half k of Philox
/// counter (i / 128 * 16 + lane).
void dropout_mask(std::uint64_t seed, std::uint64_t step, std::int64_t sample, std::uint32_t stream,
                  double rate, std::uint8_t* keep, std::int64_t n);

struct PoolGeometry {
  std::int64_t kernel_height = 1, kernel_width = 1;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  bool count_padding = false;  // average: whether padding counts
};

/// One sample. winner: for each output element the number of the window's winning pixel (row *
/// kernel_width + column).
void max_pool(const float* in, const Layout& in_layout, const PoolGeometry& g,
              const Layout& out_layout, float* out, std::uint8_t* winner);
void max_pool(const Bfloat16* in, const Layout& in_layout, const PoolGeometry& g,
              const Layout& out_layout, Bfloat16* out, std::uint8_t* winner);

/// One sample; writes all of in_gradient. With `relu`, gradients where `out` is 0 are dropped,
/// which is ReLU's gradient when `in` is ReLU's output.
void max_pool_backward(const float* out_gradient, const float* out, const std::uint8_t* winner,
                       const Layout& in_layout, const PoolGeometry& g, const Layout& out_layout,
                       bool relu, float* in_gradient);
void max_pool_backward(const Bfloat16* out_gradient, const Bfloat16* out,
                       const std::uint8_t* winner, const Layout& in_layout, const PoolGeometry& g,
                       const Layout& out_layout, bool relu, Bfloat16* in_gradient);

void average_pool(const float* in, const Layout& in_layout, const PoolGeometry& g,
                  const Layout& out_layout, float* out);
void average_pool(const Bfloat16* in, const Layout& in_layout, const PoolGeometry& g,
                  const Layout& out_layout, Bfloat16* out);
void average_pool_backward(const float* out_gradient, const Layout& in_layout,
                           const PoolGeometry& g, const Layout& out_layout, float* in_gradient);
void average_pool_backward(const Bfloat16* out_gradient, const Layout& in_layout,
                           const PoolGeometry& g, const Layout& out_layout, Bfloat16* in_gradient);

/// to[i] += from[i]
void accumulate(const float* from, float* to, std::int64_t n);

}  // namespace onnxop
