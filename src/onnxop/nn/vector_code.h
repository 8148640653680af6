#pragma once
// What this room's loops are written with, so that the compiler makes vector instructions of them.
// Files that include it are compiled as CMakeLists.txt says. Private to this room.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "onnxop/nn/kernels.h"

// The best version for the processor is chosen when the program is loaded; sanitizers do not stand
// code that runs so early.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(ONNXOP_SANITIZED)
#define ONNXOP_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ONNXOP_CLONES
#endif
// What is not inlined would be compiled for the plainest processor only.
#define ONNXOP_INLINE inline __attribute__((always_inline))
#define ONNXOP_INLINE_LAMBDA __attribute__((always_inline))

namespace onnxop {

ONNXOP_INLINE float load(float value) {
  return value;
}
ONNXOP_INLINE float load(Bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}
template <typename Floats>
ONNXOP_INLINE void load_lanes(const float* from, Floats& to) {
  std::memcpy(&to, from, sizeof to);
}
/// Whole numbers in the lanes of a vector of floats: as wide, half as wide, a quarter.
template <typename Floats>
struct LaneTypes {
  using Words [[gnu::vector_size(sizeof(Floats))]] = std::uint32_t;
  using Halves [[gnu::vector_size(sizeof(Floats) / 2)]] = std::uint16_t;
  using Bytes [[gnu::vector_size(sizeof(Floats) / 4)]] = std::uint8_t;
};
template <typename Floats>
ONNXOP_INLINE void load_lanes(const Bfloat16* from, Floats& to) {
  typename LaneTypes<Floats>::Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  const auto bits = __builtin_convertvector(halves, typename LaneTypes<Floats>::Words) << 16;
  std::memcpy(&to, &bits, sizeof to);
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

template <typename Floats>
ONNXOP_INLINE void store_lanes(const Floats& values, float* to) {
  std::memcpy(to, &values, sizeof values);
}
/// As store() does each.
template <typename Floats>
ONNXOP_INLINE void store_lanes(const Floats& values, Bfloat16* to) {
  typename LaneTypes<Floats>::Words bits;
  std::memcpy(&bits, &values, sizeof bits);
  const auto rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  const auto quiet = (bits >> 16) | 0x40;
  const auto result = (bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded;
  const auto halves = __builtin_convertvector(result, typename LaneTypes<Floats>::Halves);
  std::memcpy(to, &halves, sizeof halves);
}

}  // namespace onnxop
