#include "onnxop/wire/mlflow_runs.h"

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/wire/mlflow_artifacts.h"
#include "onnxop/wire/mlflow_json.h"

namespace onnxop {
namespace {

constexpr std::string_view kNameTag = "mlflow.runName";
constexpr std::size_t kBytesOfRun = 2000;  // about, in an answer

void write_info(JsonWriter& json, const Run& run) {
  json.open_object()
      .text("run_id", run.run_id)
      .text("run_uuid", run.run_id)
      .text("run_name", run.name)
      .text("experiment_id", format("{}", run.experiment_id))
      .text("user_id", run.user_id)
      .text("status", run_status_name(run.status))
      .integer("start_time", run.start_time_ms);
  if (run.end_time_ms) {
    json.integer("end_time", *run.end_time_ms);
  }
  json.text("artifact_uri", artifact_uri(run_artifact_root(run)))
      .text("lifecycle_stage", lifecycle_stage_name(run.lifecycle_stage))
      .close_object();
}

void write_data(JsonWriter& json, const Run& run) {
  json.open_object().key("metrics").open_array();
  for (const auto& [key, metric] : run.metrics) {
    json.open_object();
    write_metric(json, metric);
    json.close_object();
  }
  json.close_array();
  write_pairs(json, "params", run.params);
  if (run.tags.contains(std::string(kNameTag))) {
    write_pairs(json, "tags", run.tags);
  } else {
    Texts tags = run.tags;
    tags.emplace(kNameTag, run.name);
    write_pairs(json, "tags", tags);
  }
  json.close_object();
}

void write_inputs(JsonWriter& json, const Run& run) {
  json.open_object().key("dataset_inputs").open_array();
  for (const DatasetInput& input : run.dataset_inputs) {
    json.open_object();
    write_pairs(json, "tags", input.tags);
    const DatasetInfo& dataset = input.dataset;
    json.key("dataset")
        .open_object()
        .text("name", dataset.name)
        .text("digest", dataset.digest)
        .text("source_type", dataset.source_type)
        .text("source", dataset.source);
    write_text_if_any(json, "schema", dataset.schema);
    write_text_if_any(json, "profile", dataset.profile);
    json.close_object().close_object();
  }
  json.close_array().key("model_inputs").open_array();
  for (const RunModel& model : run.model_inputs) {
    json.open_object().text("model_id", model.model_id).close_object();
  }
  json.close_array().close_object();
}

void write_outputs(JsonWriter& json, const Run& run) {
  json.open_object().key("model_outputs").open_array();
  for (const RunModel& model : run.model_outputs) {
    json.open_object().text("model_id", model.model_id).integer("step", model.step).close_object();
  }
  json.close_array().close_object();
}

void write_run(JsonWriter& json, const Run& run) {
  json.open_object().key("info");
  write_info(json, run);
  json.key("data");
  write_data(json, run);
  json.key("inputs");
  write_inputs(json, run);
  json.key("outputs");
  write_outputs(json, run);
  json.close_object();
}

RunStatus status_of(std::string_view text) {
  // By name; protobuf's number is as good.
  if (text.size() == 1 && text[0] >= '1' && text[0] <= '5') {
    constexpr std::string_view kNames[] = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
    text = kNames[text[0] - '1'];
  }
  return parse_run_status(text);
}

}  // namespace

std::string run_json(const Run& run) {
  JsonWriter json;
  json.reserve(kBytesOfRun);
  json.open_object().key("run");
  write_run(json, run);
  json.close_object();
  return json.take();
}

std::string run_info_json(const Run& run) {
  JsonWriter json;
  json.open_object().key("run_info");
  write_info(json, run);
  json.close_object();
  return json.take();
}

std::string runs_json(const Page<Run>& page) {
  JsonWriter json;
  json.reserve(page.items.size() * kBytesOfRun);
  json.open_object().key("runs").open_array();
  for (const Run& run : page.items) {
    write_run(json, run);
  }
  json.close_array();
  write_next_page(json, page.next_page_token);
  json.close_object();
  return json.take();
}

NewRun new_run_of(const MlflowFields& fields) {
  NewRun run;
  run.name = fields.text("run_name");
  if (const std::string id = fields.text("experiment_id"); !id.empty()) {
    run.experiment_id = parse_experiment_id(id);
  }
  run.user_id = fields.text("user_id");
  run.start_time_ms = fields.integer("start_time");
  run.tags = fields.pairs("tags");
  run.owned = false;
  return run;
}

RunUpdate run_update_of(const MlflowFields& fields) {
  RunUpdate update;
  if (const auto status = fields.find_text_or_number("status"); status && !status->empty()) {
    update.status = status_of(*status);
  }
  update.end_time_ms = fields.integer("end_time");
  if (auto name = fields.find_text("run_name"); name && !name->empty()) {
    update.name = std::move(name);
  }
  return update;
}

std::vector<DatasetInput> dataset_inputs_of(const MlflowFields& fields) {
  std::vector<DatasetInput> inputs;
  for (const MlflowFields& each : fields.objects("datasets")) {
    const auto dataset = each.object("dataset");
    if (!dataset) {
      fail_missing_parameter(format("datasets[{}].dataset", inputs.size()));
    }
    inputs.push_back({{.name = dataset->required("name"),
                       .digest = dataset->required("digest"),
                       .source_type = dataset->text("source_type"),
                       .source = dataset->text("source"),
                       .schema = dataset->text("schema"),
                       .profile = dataset->text("profile")},
                      each.pairs("tags")});
  }
  return inputs;
}

std::vector<RunModel> run_models_of(const MlflowFields& fields) {
  std::vector<RunModel> models;
  for (const MlflowFields& each : fields.objects("models")) {
    models.push_back({each.required("model_id"), each.integer("step").value_or(0)});
  }
  return models;
}

std::string logged_model_history(std::string_view history, std::string_view model_json) {
  Json model = parse_json(model_json, "model_json");
  for (const char* key : {"artifact_path", "flavors", "utc_time_created", "run_id"}) {
    if (!model.is_object() || !model.contains(key)) {
      fail(ErrorCode::kInvalidArgument, "model_json has no '{}', expected one", key);
    }
  }
  Json all = Json::array();
  if (!history.empty()) {
    Json before = parse_json(history, "mlflow.log-model.history");
    if (before.is_array()) {
      all = std::move(before);
    }
  }
  all.push_back(std::move(model));
  std::string text = dump_json(all);
  while (text.size() > RunLimits::kTagValue && all.size() > 1) {
    all.erase(0);
    text = dump_json(all);
  }
  return text;
}

}  // namespace onnxop
