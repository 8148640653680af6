#pragma once
// Random numbers that are the same on every machine: a counter-based generator (Philox 4x32-10;
// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11). A value depends only on
// (seed, stream, counter), not on the order or the thread in which values are drawn.

#include <array>
#include <cstdint>
#include <span>

namespace onnxop {

/// Four 32-bit values for one counter.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// A sequence of values of one (seed, stream). Cheap to copy; one thread at a time.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  std::uint32_t next_u32();
  /// In [0, 1), 24 bits.
  float uniform();
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  /// In [0, bound), without bias; bound > 0.
  std::uint32_t below(std::uint32_t bound);
  /// Fisher-Yates.
  void shuffle(std::span<std::uint32_t> values);

 private:
  std::uint64_t seed_, stream_;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 4> buffer_{};
  int used_ = 4;
};

}  // namespace onnxop
