#pragma once
// What MLflow lets a name of a metric, parameter, tag or alias be.

#include <string_view>

namespace onnxop {

/// Letters, digits, '_', '-', '.', ' ', ':' and '/', and as a path nothing that another one could
/// mean too: no "//", no "." or ".." as a part, no '/' at an end. `what` names the field. Throws
/// Error{kInvalidArgument}.
void check_mlflow_key(std::string_view key, std::string_view what);

/// Letters, digits, '_' and '-'. Throws Error{kInvalidArgument}.
void check_mlflow_alias(std::string_view alias);

}  // namespace onnxop
