#include "onnxop/train/initialize.h"

#include <cmath>
#include <numbers>

#include "onnxop/base/random.h"

namespace onnxop {
namespace {

/// Standard deviation of a standard normal distribution that is cut off at ±2.
constexpr double kTruncatedDeviation = 0.87962566103423978;

/// Box-Muller, drawn again until it lies within ±2.
double truncated_normal(Random& random) {
  for (;;) {
    const double radius = std::sqrt(-2 * std::log(1.0 - static_cast<double>(random.uniform())));
    const double value =
        radius * std::cos(2 * std::numbers::pi * static_cast<double>(random.uniform()));
    if (std::abs(value) <= 2) {
      return value;
    }
  }
}

}  // namespace

Tensor initial_kernel(const Shape& shape, std::int64_t fan_in, std::int64_t fan_out,
                      InitializerKind kind, std::uint64_t seed, std::uint64_t stream) {
  const bool he = kind == InitializerKind::kHeUniform || kind == InitializerKind::kHeNormal;
  const bool normal = kind == InitializerKind::kGlorotNormal || kind == InitializerKind::kHeNormal;
  const double variance = 2.0 / static_cast<double>(he ? fan_in : fan_in + fan_out);
  Tensor kernel(DType::kFloat32, shape);
  Random random(seed, stream);
  const auto limit = static_cast<float>(std::sqrt(3 * variance));
  const double deviation = std::sqrt(variance) / kTruncatedDeviation;
  for (float& value : kernel.values<float>()) {
    value = normal ? static_cast<float>(deviation * truncated_normal(random))
                   : random.uniform(-limit, limit);
  }
  return kernel;
}

}  // namespace onnxop
