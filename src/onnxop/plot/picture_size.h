#pragma once

#include "onnxop/plot/chart.h"

namespace onnxop {

/// Throws Error{kInvalidArgument} for a size out of range.
void check_size(const PictureSize& size);

}  // namespace onnxop
