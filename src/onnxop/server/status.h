#pragma once
// HTTP statuses: their names, and the one place where an Error becomes one.

#include <string_view>

#include "onnxop/base/error.h"

namespace onnxop {

int http_status(ErrorCode code);

/// What MLflow's REST API makes of the same errors.
struct MlflowStatus {
  int status = 500;
  std::string_view error_code;
};
MlflowStatus mlflow_status(ErrorCode code);

/// The error_code of a status that no Error led to.
std::string_view mlflow_error_code(int status);

/// "Not Found" for 404.
std::string_view reason_phrase(int status);

}  // namespace onnxop
