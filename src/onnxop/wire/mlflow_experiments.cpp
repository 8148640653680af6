#include "onnxop/wire/mlflow_experiments.h"

#include "onnxop/base/format.h"
#include "onnxop/wire/mlflow_artifacts.h"
#include "onnxop/wire/mlflow_json.h"

namespace onnxop {
namespace {

void write_experiment(JsonWriter& json, const Experiment& experiment) {
  json.open_object()
      .text("experiment_id", format("{}", experiment.experiment_id))
      .text("name", experiment.name)
      .text("artifact_location", artifact_uri(experiment.artifact_folder))
      .text("lifecycle_stage", lifecycle_stage_name(experiment.lifecycle_stage))
      .integer("creation_time", experiment.created_ms)
      .integer("last_update_time", experiment.updated_ms);
  write_pairs(json, "tags", experiment.tags);
  json.close_object();
}

}  // namespace

std::string experiment_id_json(std::int64_t experiment_id) {
  JsonWriter json;
  json.open_object().text("experiment_id", format("{}", experiment_id)).close_object();
  return json.take();
}

std::string experiment_json(const Experiment& experiment) {
  JsonWriter json;
  json.open_object().key("experiment");
  write_experiment(json, experiment);
  json.close_object();
  return json.take();
}

std::string experiments_json(const Page<Experiment>& page) {
  JsonWriter json;
  json.open_object().key("experiments").open_array();
  for (const Experiment& experiment : page.items) {
    write_experiment(json, experiment);
  }
  json.close_array();
  write_next_page(json, page.next_page_token);
  json.close_object();
  return json.take();
}

}  // namespace onnxop
