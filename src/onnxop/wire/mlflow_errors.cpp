#include "onnxop/wire/mlflow_errors.h"

#include "onnxop/base/json_writer.h"

namespace onnxop {

std::string mlflow_error_json(std::string_view error_code, std::string_view message) {
  JsonWriter json;
  json.open_object().text("error_code", error_code).text("message", message).close_object();
  return json.take();
}

}  // namespace onnxop
