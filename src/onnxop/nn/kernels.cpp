#include "onnxop/nn/kernels.h"

#include "onnxop/nn/vector_code.h"

namespace onnxop {
namespace {

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

}  // namespace onnxop
