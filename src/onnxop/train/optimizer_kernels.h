#pragma once
// The formulas of the optimizers over n contiguous elements, in loops that the compiler turns into
// vector instructions: p parameters, g gradients, m, v moments. No pointer may overlap another.

#include <cstddef>

namespace onnxop {

void sgd_step(float* p, const float* g, std::size_t n, float learning_rate);
void momentum_step(float* p, const float* g, float* m, std::size_t n, float learning_rate,
                   float momentum);
void nesterov_step(float* p, const float* g, float* m, std::size_t n, float learning_rate,
                   float momentum);

struct RmspropConstants {
  float learning_rate, rho, one_minus_rho, epsilon;
};
void rmsprop_step(float* p, const float* g, float* v, std::size_t n,
                  const RmspropConstants& constants);
void rmsprop_momentum_step(float* p, const float* g, float* v, float* m, std::size_t n,
                           const RmspropConstants& constants, float momentum);

struct AdamConstants {
  float alpha;  // learning rate with both bias corrections
  float one_minus_beta_1, one_minus_beta_2, epsilon;
  float keep;  // what decoupled weight decay leaves of a parameter; 1 without
};
void adam_step(float* p, const float* g, float* m, float* v, std::size_t n,
               const AdamConstants& constants);

struct AdadeltaConstants {
  float learning_rate, rho, one_minus_rho, epsilon;
};
/// v: mean of squared gradients, d: mean of squared updates.
void adadelta_step(float* p, const float* g, float* v, float* d, std::size_t n,
                   const AdadeltaConstants& constants);

}  // namespace onnxop
