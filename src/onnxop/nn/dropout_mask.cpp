// Dropout's random masks of kernels.h.

#include <algorithm>
#include <array>
#include <cmath>

#include "onnxop/nn/kernels.h"
#include "onnxop/nn/vector_code.h"

namespace onnxop {
namespace {

constexpr std::size_t kPhiloxLanes = 16;
constexpr std::int64_t kDraws = 8 * kPhiloxLanes;  // 16-bit numbers of one round of lanes

/// By word, then by lane.
using PhiloxLanes = std::array<std::array<std::uint32_t, kPhiloxLanes>, 4>;

/// philox4x32 (base/random.h) of as many counters as there are lanes, in place.
ONNXOP_INLINE void philox(PhiloxLanes& words, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    for (std::size_t lane = 0; lane < kPhiloxLanes; ++lane) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53} * words[0][lane];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * words[2][lane];
      words[0][lane] = static_cast<std::uint32_t>(product1 >> 32) ^ words[1][lane] ^ key0;
      words[1][lane] = static_cast<std::uint32_t>(product1);
      words[2][lane] = static_cast<std::uint32_t>(product0 >> 32) ^ words[3][lane] ^ key1;
      words[3][lane] = static_cast<std::uint32_t>(product0);
    }
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
}

}  // namespace

ONNXOP_CLONES void dropout_mask(std::uint64_t seed, std::uint64_t step, std::int64_t sample,
                                std::uint32_t stream, double rate, std::uint8_t* keep,
                                std::int64_t n) {
  const auto threshold = static_cast<std::uint32_t>(std::lround(rate * 65536));
  std::array<std::uint8_t, kDraws> tail;
  for (std::int64_t i = 0; i < n; i += kDraws) {
    PhiloxLanes lanes;
    for (std::size_t lane = 0; lane < kPhiloxLanes; ++lane) {
      lanes[0][lane] = static_cast<std::uint32_t>(i / kDraws * kPhiloxLanes + lane);
      lanes[1][lane] = static_cast<std::uint32_t>(sample);
      lanes[2][lane] = static_cast<std::uint32_t>(step);
      // The step's upper half shares a word with the operator's stream, which is small.
      lanes[3][lane] = (stream << 16) ^ static_cast<std::uint32_t>(step >> 32);
    }
    philox(lanes, static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
    const bool whole = n - i >= kDraws;
    std::uint8_t* to = whole ? keep + i : tail.data();
    for (std::size_t word = 0; word < 4; ++word) {
      for (std::size_t lane = 0; lane < kPhiloxLanes; ++lane) {
        const std::uint32_t draw = lanes[word][lane];
        to[2 * word * kPhiloxLanes + lane] = (draw & 0xFFFF) >= threshold ? 1 : 0;
        to[(2 * word + 1) * kPhiloxLanes + lane] = (draw >> 16) >= threshold ? 1 : 0;
      }
    }
    if (!whole) {
      std::copy_n(tail.begin(), n - i, keep + i);
    }
  }
}

}  // namespace onnxop
