#pragma once
// Whether a run has a point for each step that the training logged.

#include <cstdint>
#include <vector>

#include "onnxop/base/test_sanitizers.h"

namespace onnxop::testing_support {

/// True: the steps are 1 to `last`, each once. Under a sanitizer logging may cost more of a
/// training than it is let: there from some step on every second may be left out, then three of
/// four, and so on, and nothing else.
inline bool are_logged_steps(const std::vector<std::int64_t>& steps, std::int64_t last) {
  const std::int64_t most = kSanitized ? 1 << 16 : 1;
  std::int64_t stride = 1;
  const auto step_after = [&](std::int64_t step) { return step / stride * stride + stride; };
  std::int64_t before = 0;
  for (const std::int64_t step : steps) {
    while (step_after(before) != step) {
      stride *= 2;
      if (stride > most) {
        return false;
      }
    }
    before = step;
  }
  return before <= last && step_after(before) > last;
}

}  // namespace onnxop::testing_support
