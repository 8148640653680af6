#include "onnxop/wire/mlflow_json.h"

namespace onnxop {

void write_pairs(JsonWriter& json, std::string_view name, const Texts& pairs) {
  json.key(name).open_array();
  for (const auto& [key, value] : pairs) {
    json.open_object().text("key", key).text("value", value).close_object();
  }
  json.close_array();
}

void write_text_if_any(JsonWriter& json, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    json.text(name, value);
  }
}

void write_next_page(JsonWriter& json, std::string_view token) {
  write_text_if_any(json, "next_page_token", token);
}

void write_metric(JsonWriter& json, const Metric& metric) {
  json.text("key", metric.key)
      .number("value", metric.value)
      .integer("timestamp", metric.timestamp_ms)
      .integer("step", metric.step);
}

}  // namespace onnxop
