// Logged models over MLflow's REST API.

#include "onnxop/server/mlflow_table.h"
#include "onnxop/wire/mlflow_artifacts.h"
#include "onnxop/wire/mlflow_logged_models.h"

namespace onnxop {
namespace {

constexpr std::string_view kDone = "{}";

std::string search(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  const std::vector<std::int64_t> experiments = fields.experiment_ids();
  const LoggedModelSearch search = logged_model_search_of(fields);
  return logged_models_json(
      experiments.empty()
          ? Page<LoggedModel>()
          : call.registry().logged_models().search(experiments, search.options, search.datasets));
}

std::string list_artifacts(MlflowCall& call) {
  const std::string root =
      logged_model_artifact_root(call.registry().logged_models().get(call.path_value(0)));
  const std::string below = call.fields().text("artifact_directory_path");
  return artifact_list_json(artifact_uri(root), root,
                            call.registry().artifacts().list(
                                below.empty() ? root : root + "/" + check_artifact_path(below)));
}

void add_changes(MlflowTable& table) {
  const auto add = [&](const char* method, const char* path, const char* id, const char* summary,
                       MlflowHandler handler) {
    table.add({method, path, id, summary, Permission::kTrack}, std::move(handler));
  };
  add("POST", "logged-models", "createLoggedModel", "A new model of a run", [](MlflowCall& call) {
    return logged_model_json(
        call.registry().logged_models().create(new_logged_model_of(call.fields())));
  });
  add("PATCH", "logged-models/{model_id}", "finalizeLoggedModel", "Whether its files are complete",
      [](MlflowCall& call) {
        return logged_model_json(call.registry().logged_models().finalize(
            call.path_value(0), logged_model_status_of(call.fields())));
      });
  add("DELETE", "logged-models/{model_id}", "deleteLoggedModel", "Mark a logged model as deleted",
      [](MlflowCall& call) {
        call.registry().logged_models().remove(call.path_value(0));
        return std::string(kDone);
      });
  add("PATCH", "logged-models/{model_id}/tags", "setLoggedModelTags", "Set tags of a logged model",
      [](MlflowCall& call) {
        call.registry().logged_models().set_tags(call.path_value(0), call.fields().pairs("tags"));
        return std::string(kDone);
      });
  add("DELETE", "logged-models/{model_id}/tags/{tag_key}", "deleteLoggedModelTag",
      "Delete a tag of a logged model", [](MlflowCall& call) {
        call.registry().logged_models().delete_tag(call.path_value(0), call.path_value(1));
        return std::string(kDone);
      });
  add("POST", "logged-models/{model_id}/params", "logLoggedModelParams",
      "Log parameters of a logged model", [](MlflowCall& call) {
        call.registry().logged_models().log_params(call.path_value(0),
                                                   call.fields().pairs("params"));
        return std::string(kDone);
      });
}

}  // namespace

void add_mlflow_logged_models(MlflowTable& table) {
  add_changes(table);
  table.add({"GET", "logged-models/{model_id}", "getLoggedModel", "A logged model"},
            [](MlflowCall& call) {
              return logged_model_json(call.registry().logged_models().get(call.path_value(0)));
            });
  table.add(
      {"POST", "logged-models/search", "searchLoggedModels", "Logged models that fit a filter"},
      search);
  table.add({"GET", "logged-models/{model_id}/artifacts/directories", "listLoggedModelArtifacts",
             "What is in a folder of a logged model"},
            list_artifacts);
}

}  // namespace onnxop
