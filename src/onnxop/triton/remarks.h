#pragma once
// What stands in a configuration and has no effect. Private to this room.

#include <vector>

#include "onnxop/triton/config_text.h"
#include "onnxop/triton/triton_config.h"

namespace onnxop {

/// By line.
std::vector<TritonRemark> remarks_on(const ConfigText& config);

}  // namespace onnxop
