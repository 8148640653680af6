// Experiments over MLflow's REST API.

#include "onnxop/server/mlflow_table.h"
#include "onnxop/wire/mlflow_artifacts.h"
#include "onnxop/wire/mlflow_experiments.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMostExperiments = 50'000;  // of a page
constexpr std::string_view kDone = "{}";

std::string create(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  const std::string folder =
      artifact_path_of(fields.text("artifact_location"), "artifact_location");
  return experiment_id_json(
      call.registry().experiments().create(fields.required("name"), fields.pairs("tags"), folder));
}

std::string search(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  SearchOptions options;
  options.filter = fields.text("filter");
  options.order_by = fields.texts("order_by");
  options.max_results = fields.max_results(1000, kMostExperiments);
  options.page_token = fields.text("page_token");
  return experiments_json(
      call.registry().experiments().search(fields.view_type("view_type"), options));
}

std::string rename(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  call.registry().experiments().rename(fields.experiment_id(), fields.required("new_name"));
  return std::string(kDone);
}

void add_changes(MlflowTable& table) {
  const auto add = [&](const char* path, const char* id, const char* summary,
                       MlflowHandler handler) {
    table.add({"POST", path, id, summary, Permission::kTrack}, std::move(handler));
  };
  add("experiments/create", "createExperiment", "A new experiment", create);
  add("experiments/update", "updateExperiment", "Another name for an experiment", rename);
  add("experiments/delete", "deleteExperiment", "Mark an experiment and its runs as deleted",
      [](MlflowCall& call) {
        call.registry().experiments().remove(call.fields().experiment_id());
        return std::string(kDone);
      });
  add("experiments/restore", "restoreExperiment", "Take that mark away", [](MlflowCall& call) {
    call.registry().experiments().restore(call.fields().experiment_id());
    return std::string(kDone);
  });
  add("experiments/set-experiment-tag", "setExperimentTag", "Set a tag of an experiment",
      [](MlflowCall& call) {
        const MlflowFields& fields = call.fields();
        call.registry().experiments().set_tag(fields.experiment_id(), fields.required("key"),
                                              fields.text("value"));
        return std::string(kDone);
      });
  add("experiments/delete-experiment-tag", "deleteExperimentTag", "Delete a tag of an experiment",
      [](MlflowCall& call) {
        const MlflowFields& fields = call.fields();
        call.registry().experiments().delete_tag(fields.experiment_id(), fields.required("key"));
        return std::string(kDone);
      });
}

}  // namespace

void add_mlflow_experiments(MlflowTable& table) {
  add_changes(table);
  table.add({"GET", "experiments/get", "getExperiment", "An experiment"}, [](MlflowCall& call) {
    return experiment_json(call.registry().experiments().get(call.fields().experiment_id()));
  });
  table.add({"GET", "experiments/get-by-name", "getExperimentByName", "An experiment, by its name"},
            [](MlflowCall& call) {
              return experiment_json(call.registry().experiments().get_by_name(
                  call.fields().required("experiment_name")));
            });
  table.add({"POST", "experiments/search", "searchExperiments", "Experiments that fit a filter"},
            search);
  table.add({"GET", "experiments/search", "listExperiments", "The same, asked in the query"},
            search);
}

}  // namespace onnxop
