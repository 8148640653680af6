#pragma once
// libonnx's checker and shape inference, with what this version of it cannot judge kept apart.
// Private to this room.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "onnxop/onnx/model_file.h"
#include "onnxop/onnx/proto_types.h"

namespace onnxop {

struct Judgement {
  std::vector<std::string> problems;
  std::vector<std::string> notes;          // what was left unjudged, and why
  std::optional<double> flops_per_sample;  // where asked for, and there are no problems
};

/// Runs the checker and strict shape inference with data propagation, in a child process: where
/// they crash, that is a problem of the model. Only for a model without structural_problems(). The
/// model is not changed.
Judgement judge(const onnx::ModelProto& model, const std::filesystem::path& folder,
                bool with_flops);

/// Shape inference that goes as far as it can, without complaint, and leaves what it finds in the
/// model's value_info. May crash: for judge()'s child process only.
void infer_what_is_possible(onnx::ModelProto& model);

OperatorCount::Origin operator_origin(const std::string& domain, const std::string& op_type);

}  // namespace onnxop
