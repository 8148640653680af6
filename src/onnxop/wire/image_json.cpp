#include "onnxop/wire/image_json.h"

#include "onnxop/base/json_writer.h"

namespace onnxop {
std::string image_answer_json(const ImageAnswer& answer) {
  JsonWriter json;
  json.reserve(160 + 24 * answer.values.size());
  json.open_object().key("prediction").open_array().open_array().open_array();
  for (const double value : answer.values) {
    json.number(value);
  }
  json.close_array().close_array().close_array();
  if (answer.classification) {
    json.text("label", answer.label).key("confidence").number(answer.confidence);
  }
  json.text("model", answer.model).integer("version", answer.version).close_object();
  return json.take();
}

std::string error_json(std::string_view message) {
  JsonWriter json;
  json.open_object().text("error", message).close_object();
  return json.take();
}

std::string status_json(std::string_view status) {
  JsonWriter json;
  json.open_object().text("status", status).close_object();
  return json.take();
}

}  // namespace onnxop
