#include "onnxop/wire/mlflow_versions.h"

#include "onnxop/base/format.h"
#include "onnxop/wire/mlflow_json.h"
#include "onnxop/wire/mlflow_values.h"

namespace onnxop {

void write_model_version(JsonWriter& json, const ModelVersion& version) {
  json.open_object()
      .text("name", version.name)
      .text("version", format("{}", version.version))
      .integer("creation_timestamp", version.created_ms)
      .integer("last_updated_timestamp", version.updated_ms);
  write_text_if_any(json, "user_id", version.user_id);
  json.text("current_stage", version.stage);
  write_text_if_any(json, "description", version.description);
  json.text("source", version.source);
  write_text_if_any(json, "run_id", version.run_id);
  json.text("status", "READY");
  write_pairs(json, "tags", version.tags);
  write_text_if_any(json, "run_link", version.run_link);
  write_text_if_any(json, "model_id", version.logged_model_id);
  json.key("aliases").open_array();
  for (const std::string& alias : version.aliases) {
    json.text(alias);
  }
  json.close_array().close_object();
}

std::string model_version_json(const ModelVersion& version) {
  JsonWriter json;
  json.open_object().key("model_version");
  write_model_version(json, version);
  json.close_object();
  return json.take();
}

std::string model_versions_json(const Page<ModelVersion>& page) {
  JsonWriter json;
  json.open_object().key("model_versions").open_array();
  for (const ModelVersion& version : page.items) {
    write_model_version(json, version);
  }
  json.close_array();
  write_next_page(json, page.next_page_token);
  json.close_object();
  return json.take();
}

NewVersion new_version_of(const MlflowFields& fields) {
  NewVersion version;
  version.name = fields.required("name");
  version.source = fields.required("source");
  version.run_id = fields.text("run_id");
  version.run_link = fields.text("run_link");
  version.description = fields.text("description");
  version.logged_model_id = fields.text("model_id");
  version.tags = fields.pairs("tags");
  return version;
}

std::string download_uri_json(std::string_view uri) {
  JsonWriter json;
  json.open_object().text("artifact_uri", uri).close_object();
  return json.take();
}

std::int64_t parse_version_number(std::string_view text) {
  return mlflow_integer(text, "version");
}

std::int64_t version_number_of(const MlflowFields& fields) {
  const auto text = fields.find_text_or_number("version");
  if (!text || text->empty()) {
    fail_missing_parameter("version");
  }
  return parse_version_number(*text);
}

}  // namespace onnxop
