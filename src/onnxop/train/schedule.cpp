#include "onnxop/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace onnxop {

double learning_rate_at(const ScheduleSpec& schedule, double learning_rate, std::int64_t step,
                        std::int64_t steps_per_epoch, std::int64_t epochs) {
  const double warmup_steps = schedule.warmup_epochs * static_cast<double>(steps_per_epoch);
  double rate = learning_rate;
  if (schedule.kind == ScheduleKind::kStep) {
    const std::int64_t drops = step / steps_per_epoch / schedule.every_epochs;
    rate *= std::pow(schedule.factor, static_cast<double>(drops));
  } else if (schedule.kind == ScheduleKind::kCosine) {
    const double all = static_cast<double>(epochs * steps_per_epoch) - warmup_steps;
    const double done = all <= 0 ? 0 : (static_cast<double>(step) - warmup_steps) / all;
    const double share = (1 + std::cos(std::numbers::pi * std::clamp(done, 0.0, 1.0))) / 2;
    rate *= schedule.final_factor + (1 - schedule.final_factor) * share;
  }
  return warmup_steps <= 0 ? rate
                           : rate * std::min(1.0, static_cast<double>(step + 1) / warmup_steps);
}

}  // namespace onnxop
