#pragma once
// Learning-rate schedules. Pure function.

#include <cstdint>

#include "onnxop/train/spec.h"

namespace onnxop {

/// The rate of the optimizer step `step` (from 0) of a training of `epochs` epochs of
/// `steps_per_epoch` steps each. Warm-up multiplies what the schedule says by (step + 1) / warm-up
/// steps until that reaches 1.
double learning_rate_at(const ScheduleSpec& schedule, double learning_rate, std::int64_t step,
                        std::int64_t steps_per_epoch, std::int64_t epochs);

}  // namespace onnxop
