#pragma once
// How long a model takes for one sample, in this process.

#include "onnxop/base/clock.h"
#include "onnxop/score/scorer.h"

namespace onnxop {

/// The median, in milliseconds, of runs one after the other on inputs of one row, after some that
/// are not counted: 200, or as many as `clock` gives in two seconds but at least 5. Free dimensions
/// are 1. Throws Error{kUnsupported} for inputs of texts, and what Scorer::run does.
double measure_latency_ms(Scorer& scorer, const Clock& clock);

}  // namespace onnxop
