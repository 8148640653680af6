// Runs, and what they log, over MLflow's REST API.

#include "onnxop/base/error.h"
#include "onnxop/server/mlflow_table.h"
#include "onnxop/wire/mlflow_keys.h"
#include "onnxop/wire/mlflow_metrics.h"
#include "onnxop/wire/mlflow_runs.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMostRuns = 50'000;  // of a page
constexpr std::string_view kDone = "{}";

std::string create(MlflowCall& call) {
  Runs& runs = call.registry().runs();
  return run_json(runs.start(new_run_of(call.fields())));
}

std::string search(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  const std::vector<std::int64_t> experiments = fields.experiment_ids();
  SearchOptions options;
  options.filter = fields.text("filter");
  options.order_by = fields.texts("order_by");
  options.max_results = fields.max_results(1000, kMostRuns);
  options.page_token = fields.text("page_token");
  const ViewType view = fields.view_type("run_view_type");
  // Where no experiment is named none is meant, other than in the store.
  return runs_json(experiments.empty() ? Page<Run>()
                                       : call.registry().runs().search(experiments, view, options));
}

/// A parameter that has another value already is the caller's mistake.
void log(Registry& registry, const LogBatch& log) {
  for (const auto& [model_id, metrics] : log.of_models) {
    registry.logged_models().get(model_id);  // none is logged where one is not there
  }
  try {
    registry.runs().log_batch(log.run_id, log.batch);
  } catch (const Error& e) {
    if (e.code() == ErrorCode::kAlreadyExists) {
      throw Error(ErrorCode::kInvalidArgument, e.what());
    }
    throw;
  }
  for (const auto& [model_id, metrics] : log.of_models) {
    registry.logged_models().log_metrics(model_id, metrics);
  }
}

std::string log_batch(MlflowCall& call) {
  log(call.registry(), parse_log_batch(call.body()));
  return std::string(kDone);
}

std::string log_metric(MlflowCall& call) {
  log(call.registry(), log_metric_of(call.fields()));
  return std::string(kDone);
}

std::string log_parameter(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  LogBatch batch;
  batch.run_id = fields.run_id();
  const std::string key = fields.required("key");
  check_mlflow_key(key, "key");
  batch.batch.params.emplace(key, fields.text("value"));
  log(call.registry(), batch);
  return std::string(kDone);
}

std::string log_inputs(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  call.registry().runs().log_inputs(fields.run_id(), dataset_inputs_of(fields),
                                    run_models_of(fields));
  return std::string(kDone);
}

std::string log_model(MlflowCall& call) {
  constexpr const char* kTag = "mlflow.log-model.history";
  const MlflowFields& fields = call.fields();
  const Run run = call.registry().runs().get(fields.run_id());
  const auto before = run.tags.find(kTag);
  call.registry().runs().set_tag(
      run.run_id, kTag,
      logged_model_history(before == run.tags.end() ? std::string() : before->second,
                           fields.required("model_json")));
  return std::string(kDone);
}

void add_logging(MlflowTable& table) {
  const auto add = [&](const char* path, const char* id, const char* summary,
                       MlflowHandler handler) {
    table.add({"POST", path, id, summary, Permission::kTrack}, std::move(handler));
  };
  add("runs/log-batch", "logBatch", "Log metrics, parameters and tags, all or none", log_batch);
  add("runs/log-metric", "logMetric", "Log one point of a metric", log_metric);
  add("runs/log-parameter", "logParam", "Log a parameter, whose value stays", log_parameter);
  add("runs/log-inputs", "logInputs", "Log data sets and models that were used", log_inputs);
  add("runs/log-model", "logModel", "Log what a model's folder says of it", log_model);
  add("runs/outputs", "logOutputs", "Log models that were made", [](MlflowCall& call) {
    call.registry().runs().log_outputs(call.fields().run_id(), run_models_of(call.fields()));
    return std::string(kDone);
  });
  add("runs/set-tag", "setTag", "Set a tag of a run", [](MlflowCall& call) {
    const MlflowFields& fields = call.fields();
    const std::string key = fields.required("key");
    check_mlflow_key(key, "key");
    call.registry().runs().set_tag(fields.run_id(), key, fields.text("value"));
    return std::string(kDone);
  });
  add("runs/delete-tag", "deleteTag", "Delete a tag of a run", [](MlflowCall& call) {
    const MlflowFields& fields = call.fields();
    call.registry().runs().delete_tag(fields.run_id(), fields.required("key"));
    return std::string(kDone);
  });
}

}  // namespace

void add_mlflow_runs(MlflowTable& table) {
  const auto add = [&](const char* path, const char* id, const char* summary,
                       MlflowHandler handler) {
    table.add({"POST", path, id, summary, Permission::kTrack}, std::move(handler));
  };
  add("runs/create", "createRun", "A new run", create);
  add("runs/update", "updateRun", "Status, end or name of a run", [](MlflowCall& call) {
    return run_info_json(
        call.registry().runs().update(call.fields().run_id(), run_update_of(call.fields())));
  });
  add("runs/delete", "deleteRun", "Mark a run as deleted", [](MlflowCall& call) {
    call.registry().runs().remove(call.fields().run_id());
    return std::string(kDone);
  });
  add("runs/restore", "restoreRun", "Take that mark away", [](MlflowCall& call) {
    call.registry().runs().restore(call.fields().run_id());
    return std::string(kDone);
  });
  table.add({"GET", "runs/get", "getRun", "A run, with the latest of each metric"},
            [](MlflowCall& call) {
              return run_json(call.registry().runs().get(call.fields().run_id()));
            });
  table.add({"POST", "runs/search", "searchRuns", "Runs that fit a filter"}, search);
  add_logging(table);
}

}  // namespace onnxop
