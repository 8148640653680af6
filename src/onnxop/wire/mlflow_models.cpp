#include "onnxop/wire/mlflow_models.h"

#include "onnxop/base/format.h"
#include "onnxop/wire/mlflow_json.h"
#include "onnxop/wire/mlflow_versions.h"

namespace onnxop {
namespace {

void write_model(JsonWriter& json, const ListedModel& listed) {
  const RegisteredModel& model = listed.model;
  json.open_object()
      .text("name", model.name)
      .integer("creation_timestamp", model.created_ms)
      .integer("last_updated_timestamp", model.updated_ms);
  write_text_if_any(json, "description", model.description);
  json.key("latest_versions").open_array();
  for (const ModelVersion& version : listed.latest) {
    write_model_version(json, version);
  }
  json.close_array();
  write_pairs(json, "tags", model.tags);
  json.key("aliases").open_array();
  for (const auto& [alias, version] : model.aliases) {
    json.open_object().text("alias", alias).text("version", format("{}", version)).close_object();
  }
  json.close_array().close_object();
}

}  // namespace

std::string registered_model_json(const ListedModel& model) {
  JsonWriter json;
  json.open_object().key("registered_model");
  write_model(json, model);
  json.close_object();
  return json.take();
}

std::string registered_models_json(const Page<ListedModel>& page) {
  JsonWriter json;
  json.open_object().key("registered_models").open_array();
  for (const ListedModel& model : page.items) {
    write_model(json, model);
  }
  json.close_array();
  write_next_page(json, page.next_page_token);
  json.close_object();
  return json.take();
}

}  // namespace onnxop
