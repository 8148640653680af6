#pragma once
// A model's description as `onnxop inspect --json` prints it, and as a training's run keeps it.

#include <string_view>

#include "onnxop/base/json.h"
#include "onnxop/onnx/model_file.h"

namespace onnxop {

/// `path` is what the JSON says of where the model lies.
Json description_json(std::string_view path, const ModelDescription& description);

std::string_view origin_name(OperatorCount::Origin origin);

}  // namespace onnxop
