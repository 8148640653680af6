#include "onnxop/train/optimizer.h"

#include <algorithm>
#include <cmath>

#include "onnxop/base/error.h"
#include "onnxop/train/optimizer_kernels.h"

namespace onnxop {
namespace {

constexpr std::size_t kPiece = 16384;  // elements: four buffers of it stay in a core's L2 cache

int slots_of(const OptimizerSpec& spec) {
  switch (spec.kind) {
    case OptimizerKind::kSgd:
      return spec.momentum > 0 ? 1 : 0;
    case OptimizerKind::kRmsprop:
      return spec.momentum > 0 ? 2 : 1;
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamW:
    case OptimizerKind::kAdadelta:
      return 2;
  }
  return 0;
}

AdamConstants adam_constants(const OptimizerSpec& spec, double learning_rate, double t) {
  const double alpha =
      learning_rate * std::sqrt(1 - std::pow(spec.beta_2, t)) / (1 - std::pow(spec.beta_1, t));
  const double decay = spec.kind == OptimizerKind::kAdamW ? spec.weight_decay : 0;
  return {static_cast<float>(alpha), static_cast<float>(1 - spec.beta_1),
          static_cast<float>(1 - spec.beta_2), static_cast<float>(spec.epsilon),
          static_cast<float>(1 - learning_rate * decay)};
}

}  // namespace

Optimizer::Optimizer(const OptimizerSpec& spec, std::int64_t size, ThreadPool& pool)
    : spec_(spec),
      size_(static_cast<std::size_t>(size)),
      pool_(pool),
      state_(static_cast<std::size_t>(slots_of(spec)) * size_) {}

void Optimizer::step(std::span<float> parameters, std::span<const float> gradients,
                     double learning_rate) {
  if (parameters.size() != size_ || gradients.size() != size_) {
    fail(ErrorCode::kInvalidArgument,
         "optimizer for {} parameters got {} parameters and {} gradients", size_, parameters.size(),
         gradients.size());
  }
  ++steps_;
  const int pieces = static_cast<int>((size_ + kPiece - 1) / kPiece);
  pool_.run(pieces, [&](int index, int) {
    const std::size_t from = static_cast<std::size_t>(index) * kPiece;
    step_range(parameters.data() + from, gradients.data() + from, from,
               std::min(kPiece, size_ - from), learning_rate);
  });
}

void Optimizer::step_range(float* p, const float* g, std::size_t from, std::size_t n,
                           double learning_rate) {
  const auto rate = static_cast<float>(learning_rate);
  const auto momentum = static_cast<float>(spec_.momentum);
  const auto rho = static_cast<float>(spec_.rho);
  const auto one_minus_rho = static_cast<float>(1 - spec_.rho);
  const auto epsilon = static_cast<float>(spec_.epsilon);
  switch (spec_.kind) {
    case OptimizerKind::kSgd:
      if (spec_.momentum == 0) {
        return sgd_step(p, g, n, rate);
      }
      return (spec_.nesterov ? nesterov_step : momentum_step)(p, g, slot(0, from), n, rate,
                                                              momentum);
    case OptimizerKind::kRmsprop:
      if (spec_.momentum == 0) {
        return rmsprop_step(p, g, slot(0, from), n, {rate, rho, one_minus_rho, epsilon});
      }
      return rmsprop_momentum_step(p, g, slot(0, from), slot(1, from), n,
                                   {rate, rho, one_minus_rho, epsilon}, momentum);
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamW:
      return adam_step(p, g, slot(0, from), slot(1, from), n,
                       adam_constants(spec_, learning_rate, static_cast<double>(steps_)));
    case OptimizerKind::kAdadelta:
      return adadelta_step(p, g, slot(0, from), slot(1, from), n,
                           {rate, rho, one_minus_rho, epsilon});
  }
}

void Optimizer::restore(std::span<const float> state, std::int64_t steps) {
  if (state.size() != state_.size()) {
    fail(ErrorCode::kInvalidArgument, "optimizer state of {} values, expected {}", state.size(),
         state_.size());
  }
  std::copy(state.begin(), state.end(), state_.begin());
  steps_ = steps;
}

}  // namespace onnxop
