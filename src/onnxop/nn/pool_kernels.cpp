// Max and average pooling of kernels.h.

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "onnxop/nn/kernels.h"
#include "onnxop/nn/vector_code.h"

namespace onnxop {
namespace {

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

/// Which pixel of the window this is, row by row.
ONNXOP_INLINE std::int32_t place_in(const PoolGeometry& g, const Window& window, std::int64_t y,
                                    std::int64_t x) {
  return static_cast<std::int32_t>((y - window.origin_row) * g.kernel_width +
                                   (x - window.origin_column));
}

/// Channels handled at once: a constant, so that they stay in vector registers.
template <std::size_t kLanes>
struct Lanes {
  static constexpr std::size_t kCount = kLanes;
  using Floats [[gnu::vector_size(4 * kLanes)]] = float;
  using Ints [[gnu::vector_size(4 * kLanes)]] = std::int32_t;
};

/// Calls visit(block, row, column, first channel, Lanes) for each output pixel and run of channels.
template <typename Visit>
ONNXOP_INLINE void for_each_output(const Layout& out, Visit visit) {
  for (std::int64_t block = 0; block < out.blocks; ++block) {
    for (std::int64_t row = 0; row < out.height; ++row) {
      for (std::int64_t column = 0; column < out.width; ++column) {
        std::int64_t lane = 0;
        for (; lane + 16 <= out.block; lane += 16) {
          visit(block, row, column, lane, Lanes<16>());
        }
        for (; lane + 8 <= out.block; lane += 8) {
          visit(block, row, column, lane, Lanes<8>());
        }
        for (; lane < out.block; ++lane) {
          visit(block, row, column, lane, Lanes<1>());
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
                                  std::int64_t lane, auto lanes) ONNXOP_INLINE_LAMBDA {
    const Window window = window_at(g, in_layout, row, column);
    typename decltype(lanes)::Floats best, value;
    typename decltype(lanes)::Ints best_at{}, bits, magnitude{};
    for (std::size_t i = 0; i < lanes.kCount; ++i) {
      best[i] = -std::numeric_limits<float>::infinity();
    }
    for (std::int64_t y = window.top; y < window.bottom; ++y) {
      for (std::int64_t x = window.left; x < window.right; ++x) {
        load_lanes(in + position(in_layout, block, y, x) + lane, value);
        const auto larger = best < value;  // not where one of them is no number
        best = larger ? value : best;
        best_at = larger ? best_at - best_at + place_in(g, window, y, x) : best_at;
        std::memcpy(&bits, &value, sizeof bits);
        bits &= 0x7FFFFFFF;
        magnitude = magnitude < bits ? bits : magnitude;
      }
    }
    std::memcpy(&value, &magnitude, sizeof value);
    best = magnitude > 0x7F800000 ? value : best;  // a NaN was there
    const std::int64_t to = position(out_layout, block, row, column) + lane;
    store_lanes(best, out + to);
    const auto places = __builtin_convertvector(
        best_at, typename LaneTypes<typename decltype(lanes)::Floats>::Bytes);
    std::memcpy(winner + to, &places, sizeof places);
  });
}

/// Windows that neither overlap nor leave the image write each input pixel at most once.
ONNXOP_INLINE bool tiles(const PoolGeometry& g, const Layout& in, const Layout& out) {
  return g.kernel_height == g.stride_height && g.kernel_width == g.stride_width && g.pad_top == 0 &&
         g.pad_left == 0 && out.height * g.stride_height <= in.height &&
         out.width * g.stride_width <= in.width;
}

template <bool kOnce, typename T>
ONNXOP_INLINE void scatter_gradient(const T* out_gradient, const T* out, const std::uint8_t* winner,
                                    const Layout& in_layout, const PoolGeometry& g,
                                    const Layout& out_layout, bool relu, T* in_gradient) {
  for_each_output(out_layout, [&](std::int64_t block, std::int64_t row, std::int64_t column,
                                  std::int64_t lane, auto lanes) ONNXOP_INLINE_LAMBDA {
    const Window window = window_at(g, in_layout, row, column);
    const std::int64_t from = position(out_layout, block, row, column) + lane;
    using Floats = typename decltype(lanes)::Floats;
    const Floats zero{};
    Floats gradient, value;
    load_lanes(out_gradient + from, gradient);
    typename LaneTypes<Floats>::Bytes places;
    std::memcpy(&places, winner + from, sizeof places);
    const auto won = __builtin_convertvector(places, typename decltype(lanes)::Ints);
    if (relu) {
      load_lanes(out + from, value);
      gradient = value > 0 ? gradient : zero;
    }
    for (std::int64_t y = window.top; y < window.bottom; ++y) {
      for (std::int64_t x = window.left; x < window.right; ++x) {
        T* pixel = in_gradient + position(in_layout, block, y, x) + lane;
        const std::int32_t at = place_in(g, window, y, x);
        Floats mine = won == at ? gradient : zero;
        if constexpr (!kOnce) {
          load_lanes(pixel, value);
          mine = value + mine;
        }
        store_lanes(mine, pixel);
      }
    }
  });
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
  if (once) {
    scatter_gradient<true>(out_gradient, out, winner, in_layout, g, out_layout, relu, in_gradient);
  } else {
    scatter_gradient<false>(out_gradient, out, winner, in_layout, g, out_layout, relu, in_gradient);
  }
}

/// One over the pixels that an average counts.
ONNXOP_INLINE float share(const PoolGeometry& g, const Window& window) {
  const std::int64_t inside = (window.bottom - window.top) * (window.right - window.left);
  return 1.0F / static_cast<float>(g.count_padding ? g.kernel_height * g.kernel_width
                                                   : std::max<std::int64_t>(inside, 1));
}

template <typename T>
ONNXOP_INLINE void average_pool_all(const T* in, const Layout& in_layout, const PoolGeometry& g,
                                    const Layout& out_layout, T* out) {
  for_each_output(out_layout, [&](std::int64_t block, std::int64_t row, std::int64_t column,
                                  std::int64_t lane, auto lanes) ONNXOP_INLINE_LAMBDA {
    const Window window = window_at(g, in_layout, row, column);
    const float weight = share(g, window);
    std::array<float, lanes.kCount> sum;
    sum.fill(0);
    for (std::int64_t y = window.top; y < window.bottom; ++y) {
      for (std::int64_t x = window.left; x < window.right; ++x) {
        const T* pixel = in + position(in_layout, block, y, x) + lane;
        for (std::size_t i = 0; i < lanes.kCount; ++i) {
          sum[i] += load(pixel[i]);
        }
      }
    }
    T* to = out + position(out_layout, block, row, column) + lane;
    for (std::size_t i = 0; i < lanes.kCount; ++i) {
      store(sum[i] * weight, to[i]);
    }
  });
}

template <typename T>
ONNXOP_INLINE void average_pool_backward_all(const T* out_gradient, const Layout& in_layout,
                                             const PoolGeometry& g, const Layout& out_layout,
                                             T* in_gradient) {
  std::fill_n(in_gradient, in_layout.sample_size(), T{0});
  for_each_output(out_layout, [&](std::int64_t block, std::int64_t row, std::int64_t column,
                                  std::int64_t lane, auto lanes) ONNXOP_INLINE_LAMBDA {
    const Window window = window_at(g, in_layout, row, column);
    const T* from = out_gradient + position(out_layout, block, row, column) + lane;
    const float weight = share(g, window);
    for (std::int64_t y = window.top; y < window.bottom; ++y) {
      for (std::int64_t x = window.left; x < window.right; ++x) {
        T* pixel = in_gradient + position(in_layout, block, y, x) + lane;
        for (std::size_t i = 0; i < lanes.kCount; ++i) {
          store(load(pixel[i]) + load(from[i]) * weight, pixel[i]);
        }
      }
    }
  });
}

}  // namespace

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

}  // namespace onnxop
