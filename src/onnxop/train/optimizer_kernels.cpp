#include "onnxop/train/optimizer_kernels.h"

#include <cmath>

namespace onnxop {

void sgd_step(float* __restrict p, const float* __restrict g, std::size_t n, float learning_rate) {
  for (std::size_t i = 0; i < n; ++i) {
    p[i] -= learning_rate * g[i];
  }
}

void momentum_step(float* __restrict p, const float* __restrict g, float* __restrict m,
                   std::size_t n, float learning_rate, float momentum) {
  for (std::size_t i = 0; i < n; ++i) {
    m[i] = momentum * m[i] - learning_rate * g[i];
    p[i] += m[i];
  }
}

void nesterov_step(float* __restrict p, const float* __restrict g, float* __restrict m,
                   std::size_t n, float learning_rate, float momentum) {
  for (std::size_t i = 0; i < n; ++i) {
    m[i] = momentum * m[i] - learning_rate * g[i];
    p[i] += momentum * m[i] - learning_rate * g[i];
  }
}

void rmsprop_step(float* __restrict p, const float* __restrict g, float* __restrict v,
                  std::size_t n, const RmspropConstants& constants) {
  const auto [learning_rate, rho, one_minus_rho, epsilon] = constants;
  for (std::size_t i = 0; i < n; ++i) {
    v[i] = rho * v[i] + one_minus_rho * g[i] * g[i];
    p[i] -= learning_rate * g[i] / std::sqrt(v[i] + epsilon);
  }
}

void rmsprop_momentum_step(float* __restrict p, const float* __restrict g, float* __restrict v,
                           float* __restrict m, std::size_t n, const RmspropConstants& constants,
                           float momentum) {
  const auto [learning_rate, rho, one_minus_rho, epsilon] = constants;
  for (std::size_t i = 0; i < n; ++i) {
    v[i] = rho * v[i] + one_minus_rho * g[i] * g[i];
    m[i] = momentum * m[i] + learning_rate * g[i] / std::sqrt(v[i] + epsilon);
    p[i] -= m[i];
  }
}

void adam_step(float* __restrict p, const float* __restrict g, float* __restrict m,
               float* __restrict v, std::size_t n, const AdamConstants& constants) {
  const auto [alpha, one_minus_beta_1, one_minus_beta_2, epsilon, keep] = constants;
  for (std::size_t i = 0; i < n; ++i) {
    m[i] += (g[i] - m[i]) * one_minus_beta_1;
    v[i] += (g[i] * g[i] - v[i]) * one_minus_beta_2;
    p[i] = p[i] * keep - alpha * m[i] / (std::sqrt(v[i]) + epsilon);
  }
}

void adadelta_step(float* __restrict p, const float* __restrict g, float* __restrict v,
                   float* __restrict d, std::size_t n, const AdadeltaConstants& constants) {
  const auto [learning_rate, rho, one_minus_rho, epsilon] = constants;
  for (std::size_t i = 0; i < n; ++i) {
    v[i] = rho * v[i] + one_minus_rho * g[i] * g[i];
    const float update = g[i] * std::sqrt((d[i] + epsilon) / (v[i] + epsilon));
    d[i] = rho * d[i] + one_minus_rho * update * update;
    p[i] -= learning_rate * update;
  }
}

}  // namespace onnxop
