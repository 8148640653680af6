#include "onnxop/train/epoch_result.h"

#include <algorithm>
#include <limits>

namespace onnxop {

bool is_better(const EpochResult& one, const EpochResult& other) {
  if (one.val_accuracy != other.val_accuracy) {
    return one.val_accuracy > other.val_accuracy;
  }
  return one.val_loss < other.val_loss;
}

std::int64_t best_epoch(const std::vector<EpochResult>& epochs) {
  const EpochResult* best = nullptr;
  for (const auto& one : epochs) {
    if (best == nullptr || is_better(one, *best)) {
      best = &one;
    }
  }
  return best == nullptr ? 0 : best->epoch;
}

bool out_of_patience(const EarlyStoppingSpec& spec, const std::vector<EpochResult>& epochs) {
  double best = std::numeric_limits<double>::infinity();
  std::int64_t waited = 0;
  for (const auto& one : epochs) {
    const double value =
        spec.monitor == MonitorKind::kValLoss ? one.val_loss : -one.val_accuracy.value_or(0);
    if (value < best - spec.min_delta) {
      best = value;
      waited = 0;
    } else {
      ++waited;
    }
  }
  return waited >= std::max<std::int64_t>(spec.patience, 1);
}

}  // namespace onnxop
