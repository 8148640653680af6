#include "onnxop/score/compare.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

template <typename T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

double from_float16(std::uint16_t bits) {
  constexpr int kMantissaBits = 10;
  constexpr int kBias = 15;
  const int exponent = (bits >> kMantissaBits) & 0x1F;
  const int mantissa = bits & 0x3FF;
  double value = 0;
  if (exponent == 0x1F) {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(mantissa, 1 - kBias - kMantissaBits);
  } else {
    value = std::ldexp(mantissa + (1 << kMantissaBits), exponent - kBias - kMantissaBits);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

double element(const Tensor& tensor, std::size_t index) {
  const std::byte* at = tensor.bytes().data() + index * dtype_size(tensor.dtype());
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return load<float>(at);
    case DType::kFloat64:
      return load<double>(at);
    case DType::kFloat16:
      return from_float16(load<std::uint16_t>(at));
    case DType::kBfloat16:
      return std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(at)} << 16);
    case DType::kUint8:
    case DType::kBool:
      return load<std::uint8_t>(at);
    case DType::kInt8:
      return load<std::int8_t>(at);
    case DType::kUint16:
      return load<std::uint16_t>(at);
    case DType::kInt16:
      return load<std::int16_t>(at);
    case DType::kUint32:
      return load<std::uint32_t>(at);
    case DType::kInt32:
      return load<std::int32_t>(at);
    case DType::kUint64:
      return static_cast<double>(load<std::uint64_t>(at));
    case DType::kInt64:
      return static_cast<double>(load<std::int64_t>(at));
    default:
      fail(ErrorCode::kUnsupported, "elements of type {} cannot be compared",
           dtype_name(tensor.dtype()));
  }
}

double distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) {
    return 0;
  }
  const double apart = std::abs(a - b);
  return std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart;
}

const Tensor& counterpart(const NamedTensor& output, std::span<const NamedTensor> others) {
  const auto at = std::find_if(others.begin(), others.end(),
                               [&](const NamedTensor& each) { return each.name == output.name; });
  if (at == others.end()) {
    fail(ErrorCode::kInternal, "output '{}' is given by one engine only", output.name);
  }
  const Tensor& other = at->tensor;
  if (other.dtype() != output.tensor.dtype() || other.shape() != output.tensor.shape()) {
    fail(ErrorCode::kInternal, "output '{}': one engine gives {} {}, the other {} {}", output.name,
         dtype_name(output.tensor.dtype()), shape_text(output.tensor.shape()),
         dtype_name(other.dtype()), shape_text(other.shape()));
  }
  return other;
}

}  // namespace

OutputDifference compare_outputs(std::span<const NamedTensor> a, std::span<const NamedTensor> b) {
  if (a.size() != b.size()) {
    fail(ErrorCode::kInternal, "one engine gives {} outputs, the other {}", a.size(), b.size());
  }
  OutputDifference difference;
  for (const NamedTensor& output : a) {
    const Tensor& other = counterpart(output, b);
    const auto count = static_cast<std::size_t>(output.tensor.size());
    for (std::size_t i = 0; i < count; ++i) {
      const double left = element(output.tensor, i);
      const double right = element(other, i);
      const double apart = distance(left, right);
      if (apart > difference.largest) {
        difference.largest = apart;
        difference.where =
            format("output '{}', element {}: {} and {}", output.name, i, left, right);
      }
    }
  }
  return difference;
}

bool all_close(const Tensor& a, const Tensor& b, double absolute, double relative) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) {
    return false;
  }
  if (a.dtype() == DType::kString) {
    return std::equal(a.strings().begin(), a.strings().end(), b.strings().begin(),
                      b.strings().end());
  }
  const auto count = static_cast<std::size_t>(a.size());
  for (std::size_t i = 0; i < count; ++i) {
    const double left = element(a, i);
    const double apart = distance(left, element(b, i));
    if (apart > 0 && !(apart <= absolute + relative * std::abs(left) && std::isfinite(apart))) {
      return false;
    }
  }
  return true;
}

}  // namespace onnxop
