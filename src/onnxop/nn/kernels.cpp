#include "onnxop/nn/kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "onnxop/base/random.h"

// The best version for the processor is chosen when the program is loaded; sanitizers do not stand
// code that runs so early.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define ONNXOP_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ONNXOP_CLONES
#endif
#define ONNXOP_INLINE inline __attribute__((always_inline))

namespace onnxop {
namespace {

ONNXOP_INLINE float load(float value) {
  return value;
}
ONNXOP_INLINE float load(Bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}
ONNXOP_INLINE void store(float value, float& to) {
  to = value;
}
ONNXOP_INLINE void store(float value, Bfloat16& to) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  const std::uint32_t quiet = (bits >> 16) | 0x40;
  to = static_cast<Bfloat16>((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded);
}

template <typename From, typename To>
ONNXOP_INLINE void convert_all(const From* from, To* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    store(load(from[i]), to[i]);
  }
}

template <typename T>
ONNXOP_INLINE void relu_backward_all(const T* output, T* gradient, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    gradient[i] = load(output[i]) > 0 ? gradient[i] : T{0};
  }
}

template <typename T>
ONNXOP_INLINE void apply_mask_all(const T* from, const std::uint8_t* keep, float scale, T* to,
                                  std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    store(load(from[i]) * (static_cast<float>(keep[i]) * scale), to[i]);
  }
}

/// The part of a window that lies inside the image.
struct Window {
  std::int64_t top, bottom, left, right;   // pixels of the input, end exclusive
  std::int64_t origin_row, origin_column;  // where the window begins, maybe outside
};

ONNXOP_INLINE Window window_at(const PoolGeometry& g, const Layout& in, std::int64_t row,
                               std::int64_t column) {
  const std::int64_t top = row * g.stride_height - g.pad_top;
  const std::int64_t left = column * g.stride_width - g.pad_left;
  return {std::max<std::int64_t>(top, 0),
          std::min(top + g.kernel_height, in.height),
          std::max<std::int64_t>(left, 0),
          std::min(left + g.kernel_width, in.width),
          top,
          left};
}

constexpr std::int64_t kChunk = 64;  // channels handled at once

/// Calls visit(block, row, column, first channel, channels) for each output pixel and run of
/// channels.
template <typename Visit>
ONNXOP_INLINE void for_each_output(const Layout& out, Visit visit) {
  for (std::int64_t block = 0; block < out.blocks; ++block) {
    for (std::int64_t row = 0; row < out.height; ++row) {
      for (std::int64_t column = 0; column < out.width; ++column) {
        for (std::int64_t lane = 0; lane < out.block; lane += kChunk) {
          visit(block, row, column, lane, std::min(kChunk, out.block - lane));
        }
      }
    }
  }
}

ONNXOP_INLINE std::int64_t position(const Layout& layout, std::int64_t block, std::int64_t row,
                                    std::int64_t column) {
  return ((block * layout.height + row) * layout.width + column) * layout.block;
}

template <typename T>
ONNXOP_INLINE void max_pool_all(const T* in, const Layout& in_layout, const PoolGeometry& g,
                                const Layout& out_layout, T* out, std::uint8_t* winner) {
  for_each_output(out_layout, [&](std::int64_t block, std::int64_t row, std::int64_t column,
                                  std::int64_t lane, std::int64_t lanes) {
    const Window window = window_at(g, in_layout, row, column);
    std::array<float, kChunk> best;
    std::array<std::int32_t, kChunk> best_at;
    best.fill(-std::numeric_limits<float>::infinity());
    best_at.fill(0);
    for (std::int64_t y = window.top; y < window.bottom; ++y) {
      for (std::int64_t x = window.left; x < window.right; ++x) {
        const T* pixel = in + position(in_layout, block, y, x) + lane;
        const auto at = static_cast<std::int32_t>((y - window.origin_row) * g.kernel_width +
                                                  (x - window.origin_column));
        for (std::int64_t i = 0; i < lanes; ++i) {
          const float value = load(pixel[i]);
          const bool larger = value > best[static_cast<std::size_t>(i)] || std::isnan(value);
          best[static_cast<std::size_t>(i)] = larger ? value : best[static_cast<std::size_t>(i)];
          best_at[static_cast<std::size_t>(i)] = larger ? at : best_at[static_cast<std::size_t>(i)];
        }
      }
    }
    const std::int64_t to = position(out_layout, block, row, column) + lane;
    for (std::int64_t i = 0; i < lanes; ++i) {
      store(best[static_cast<std::size_t>(i)], out[to + i]);
      winner[to + i] = static_cast<std::uint8_t>(best_at[static_cast<std::size_t>(i)]);
    }
  });
}

/// Windows that neither overlap nor leave pixels between them write each input pixel once.
ONNXOP_INLINE bool tiles(const PoolGeometry& g, const Layout& in, const Layout& out) {
  return g.kernel_height == g.stride_height && g.kernel_width == g.stride_width && g.pad_top == 0 &&
         g.pad_left == 0 && out.height * g.stride_height <= in.height &&
         out.width * g.stride_width <= in.width;
}

template <typename T>
ONNXOP_INLINE void max_pool_backward_all(const T* out_gradient, const T* out,
                                         const std::uint8_t* winner, const Layout& in_layout,
                                         const PoolGeometry& g, const Layout& out_layout, bool relu,
                                         T* in_gradient) {
  const bool once = tiles(g, in_layout, out_layout);
  const bool covers = once && out_layout.height * g.stride_height == in_layout.height &&
                      out_layout.width * g.stride_width == in_layout.width;
  if (!covers) {
    std::fill_n(in_gradient, in_layout.sample_size(), T{0});
  }
  for_each_output(out_layout, [&](std::int64_t block, std::int64_t row, std::int64_t column,
                                  std::int64_t lane, std::int64_t lanes) {
    const Window window = window_at(g, in_layout, row, column);
    const std::int64_t from = position(out_layout, block, row, column) + lane;
    std::array<float, kChunk> gradient;
    std::array<std::int32_t, kChunk> won;
    for (std::int64_t i = 0; i < lanes; ++i) {
      const bool passes = !relu || load(out[from + i]) > 0;
      gradient[static_cast<std::size_t>(i)] = passes ? load(out_gradient[from + i]) : 0.0F;
      won[static_cast<std::size_t>(i)] = winner[from + i];
    }
    for (std::int64_t y = window.top; y < window.bottom; ++y) {
      for (std::int64_t x = window.left; x < window.right; ++x) {
        T* pixel = in_gradient + position(in_layout, block, y, x) + lane;
        const auto at = static_cast<std::int32_t>((y - window.origin_row) * g.kernel_width +
                                                  (x - window.origin_column));
        for (std::int64_t i = 0; i < lanes; ++i) {
          const float mine =
              won[static_cast<std::size_t>(i)] == at ? gradient[static_cast<std::size_t>(i)] : 0.0F;
          store(once ? mine : load(pixel[i]) + mine, pixel[i]);
        }
      }
    }
  });
}

ONNXOP_INLINE float share(const PoolGeometry& g, const Window& window) {
  const std::int64_t inside = (window.bottom - window.top) * (window.right - window.left);
  return 1.0F / static_cast<float>(g.count_padding ? g.kernel_height * g.kernel_width
                                                   : std::max<std::int64_t>(inside, 1));
}

template <typename T>
ONNXOP_INLINE void average_pool_all(const T* in, const Layout& in_layout, const PoolGeometry& g,
                                    const Layout& out_layout, T* out) {
  for_each_output(out_layout, [&](std::int64_t block, std::int64_t row, std::int64_t column,
                                  std::int64_t lane, std::int64_t lanes) {
    const Window window = window_at(g, in_layout, row, column);
    std::array<float, kChunk> sum;
    sum.fill(0);
    for (std::int64_t y = window.top; y < window.bottom; ++y) {
      for (std::int64_t x = window.left; x < window.right; ++x) {
        const T* pixel = in + position(in_layout, block, y, x) + lane;
        for (std::int64_t i = 0; i < lanes; ++i) {
          sum[static_cast<std::size_t>(i)] += load(pixel[i]);
        }
      }
    }
    T* to = out + position(out_layout, block, row, column) + lane;
    for (std::int64_t i = 0; i < lanes; ++i) {
      store(sum[static_cast<std::size_t>(i)] * share(g, window), to[i]);
    }
  });
}

template <typename T>
ONNXOP_INLINE void average_pool_backward_all(const T* out_gradient, const Layout& in_layout,
                                             const PoolGeometry& g, const Layout& out_layout,
                                             T* in_gradient) {
  std::fill_n(in_gradient, in_layout.sample_size(), T{0});
  for_each_output(out_layout, [&](std::int64_t block, std::int64_t row, std::int64_t column,
                                  std::int64_t lane, std::int64_t lanes) {
    const Window window = window_at(g, in_layout, row, column);
    const T* from = out_gradient + position(out_layout, block, row, column) + lane;
    const float weight = share(g, window);
    for (std::int64_t y = window.top; y < window.bottom; ++y) {
      for (std::int64_t x = window.left; x < window.right; ++x) {
        T* pixel = in_gradient + position(in_layout, block, y, x) + lane;
        for (std::int64_t i = 0; i < lanes; ++i) {
          store(load(pixel[i]) + load(from[i]) * weight, pixel[i]);
        }
      }
    }
  });
}

}  // namespace

float to_float(Bfloat16 value) {
  return load(value);
}

Bfloat16 to_bfloat16(float value) {
  Bfloat16 result;
  store(value, result);
  return result;
}

ONNXOP_CLONES void convert(const float* from, Bfloat16* to, std::int64_t n) {
  convert_all(from, to, n);
}
ONNXOP_CLONES void convert(const Bfloat16* from, float* to, std::int64_t n) {
  convert_all(from, to, n);
}

ONNXOP_CLONES void relu_backward(const float* output, float* gradient, std::int64_t n) {
  relu_backward_all(output, gradient, n);
}
ONNXOP_CLONES void relu_backward(const Bfloat16* output, Bfloat16* gradient, std::int64_t n) {
  relu_backward_all(output, gradient, n);
}

ONNXOP_CLONES void apply_mask(const float* from, const std::uint8_t* keep, float scale, float* to,
                              std::int64_t n) {
  apply_mask_all(from, keep, scale, to, n);
}
ONNXOP_CLONES void apply_mask(const Bfloat16* from, const std::uint8_t* keep, float scale,
                              Bfloat16* to, std::int64_t n) {
  apply_mask_all(from, keep, scale, to, n);
}

ONNXOP_CLONES void accumulate(const float* from, float* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    to[i] += from[i];
  }
}

ONNXOP_CLONES void max_pool(const float* in, const Layout& in_layout, const PoolGeometry& g,
                            const Layout& out_layout, float* out, std::uint8_t* winner) {
  max_pool_all(in, in_layout, g, out_layout, out, winner);
}
ONNXOP_CLONES void max_pool(const Bfloat16* in, const Layout& in_layout, const PoolGeometry& g,
                            const Layout& out_layout, Bfloat16* out, std::uint8_t* winner) {
  max_pool_all(in, in_layout, g, out_layout, out, winner);
}

ONNXOP_CLONES void max_pool_backward(const float* out_gradient, const float* out,
                                     const std::uint8_t* winner, const Layout& in_layout,
                                     const PoolGeometry& g, const Layout& out_layout, bool relu,
                                     float* in_gradient) {
  max_pool_backward_all(out_gradient, out, winner, in_layout, g, out_layout, relu, in_gradient);
}
ONNXOP_CLONES void max_pool_backward(const Bfloat16* out_gradient, const Bfloat16* out,
                                     const std::uint8_t* winner, const Layout& in_layout,
                                     const PoolGeometry& g, const Layout& out_layout, bool relu,
                                     Bfloat16* in_gradient) {
  max_pool_backward_all(out_gradient, out, winner, in_layout, g, out_layout, relu, in_gradient);
}

ONNXOP_CLONES void average_pool(const float* in, const Layout& in_layout, const PoolGeometry& g,
                                const Layout& out_layout, float* out) {
  average_pool_all(in, in_layout, g, out_layout, out);
}
ONNXOP_CLONES void average_pool(const Bfloat16* in, const Layout& in_layout, const PoolGeometry& g,
                                const Layout& out_layout, Bfloat16* out) {
  average_pool_all(in, in_layout, g, out_layout, out);
}
ONNXOP_CLONES void average_pool_backward(const float* out_gradient, const Layout& in_layout,
                                         const PoolGeometry& g, const Layout& out_layout,
                                         float* in_gradient) {
  average_pool_backward_all(out_gradient, in_layout, g, out_layout, in_gradient);
}
ONNXOP_CLONES void average_pool_backward(const Bfloat16* out_gradient, const Layout& in_layout,
                                         const PoolGeometry& g, const Layout& out_layout,
                                         Bfloat16* in_gradient) {
  average_pool_backward_all(out_gradient, in_layout, g, out_layout, in_gradient);
}

void dropout_mask(std::uint64_t seed, std::uint64_t step, std::int64_t sample, std::uint32_t stream,
                  double rate, std::uint8_t* keep, std::int64_t n) {
  const auto threshold = static_cast<std::uint32_t>(std::lround(rate * 65536));
  const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(seed),
                                         static_cast<std::uint32_t>(seed >> 32)};
  // Eight 16-bit numbers a counter. The step's upper half shares a word with the operator's stream,
  // which is small.
  const std::uint32_t high = (stream << 16) ^ static_cast<std::uint32_t>(step >> 32);
  for (std::int64_t i = 0; i < n; i += 8) {
    const auto words =
        philox4x32({static_cast<std::uint32_t>(i / 8), static_cast<std::uint32_t>(sample),
                    static_cast<std::uint32_t>(step), high},
                   key);
    const std::int64_t count = std::min<std::int64_t>(8, n - i);
    for (std::int64_t k = 0; k < count; ++k) {
      const std::uint32_t draw =
          (words[static_cast<std::size_t>(k / 2)] >> (16 * (k % 2))) & 0xFFFF;
      keep[i + k] = draw >= threshold ? 1 : 0;
    }
  }
}

}  // namespace onnxop
