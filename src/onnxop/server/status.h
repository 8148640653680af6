#pragma once
// HTTP statuses: their names, and the one place where an Error becomes one.

#include <string_view>

#include "onnxop/base/storage_error.h"

namespace onnxop {

int http_status(ErrorCode code);

/// What MLflow's REST API makes of the same errors.
struct MlflowStatus {
  int status = 500;
  std::string_view error_code;
};
MlflowStatus mlflow_status(ErrorCode code);

/// What every client may know of it; its status is 507, and MLflow's error_code IO_ERROR: MLflow's
/// clients try 500, 503 and 429 again for minutes, but tell the user of 507 at once.
inline constexpr MlflowStatus kStorageStatus{507, "IO_ERROR"};
std::string_view storage_fault_text(StorageFault fault);

/// The error_code of a status that no Error led to.
std::string_view mlflow_error_code(int status);

/// "Not Found" for 404.
std::string_view reason_phrase(int status);

}  // namespace onnxop
