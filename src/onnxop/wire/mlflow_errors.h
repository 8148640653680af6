#pragma once
// What MLflow's REST API says when it refuses.

#include <string>
#include <string_view>

namespace onnxop {

/// {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": …}
std::string mlflow_error_json(std::string_view error_code, std::string_view message);

}  // namespace onnxop
