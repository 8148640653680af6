#pragma once
// libonnx's checker and shape inference, with what this version of it cannot judge kept apart.
// Private to this room.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "onnxop/onnx/model_file.h"

namespace onnx {
class ModelProto;
class NodeProto;
}  // namespace onnx

namespace onnxop {

struct Judgement {
  std::vector<std::string> problems;
  std::vector<std::string> notes;  // what was left unjudged, and why
};

/// Runs the checker and strict shape inference with data propagation. Only for a model without
/// structural_problems(). The shapes found are left in the model's value_info.
Judgement judge(onnx::ModelProto& model, const std::filesystem::path& folder);

/// Shape inference that goes as far as it can, without complaint. Only for a model without
/// structural_problems().
void infer_what_is_possible(onnx::ModelProto& model);

OperatorCount::Origin operator_origin(const std::string& domain, const std::string& op_type);

}  // namespace onnxop
