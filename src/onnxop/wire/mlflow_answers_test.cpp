// Answers of MLflow's REST API, as its clients read them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/wire/mlflow_errors.h"
#include "onnxop/wire/mlflow_experiments.h"
#include "onnxop/wire/mlflow_logged_models.h"
#include "onnxop/wire/mlflow_models.h"
#include "onnxop/wire/mlflow_runs.h"
#include "onnxop/wire/mlflow_versions.h"

namespace onnxop {
namespace {

Json parsed(const std::string& json) {
  return parse_json(json, "answer");
}

TEST(MlflowAnswers, AnExperiment) {
  const Json json = parsed(experiment_json({.experiment_id = 3,
                                            .name = "digits",
                                            .artifact_folder = "vision/digits",
                                            .created_ms = 17,
                                            .updated_ms = 18,
                                            .tags = {{"k", "v"}}}));
  EXPECT_EQ(json, parsed(R"({"experiment": {"experiment_id": "3", "name": "digits",
      "artifact_location": "mlflow-artifacts:/vision/digits", "lifecycle_stage": "active", "creation_time": 17,
      "last_update_time": 18, "tags": [{"key": "k", "value": "v"}]}})"));
  EXPECT_EQ(experiment_id_json(7), R"({"experiment_id":"7"})");
  EXPECT_EQ(parsed(experiments_json({{}, "t"})),
            parsed(R"({"experiments": [], "next_page_token": "t"})"));
}

TEST(MlflowAnswers, ARun) {
  onnxop::Run run{.run_id = "abc", .experiment_id = 2, .name = "calm", .user_id = "ada"};
  run.experiment_folder = "2";
  run.status = RunStatus::kFinished;
  run.start_time_ms = 17;
  run.params = {{"lr", "0.1"}};
  run.metrics = {{"loss", {"loss", 0.5, 18, 4}}};
  run.dataset_inputs = {{{.name = "d", .digest = "x", .source_type = "local", .source = "s"},
                         {{"mlflow.data.context", "training"}}}};
  run.model_outputs = {{"m-1", 5}};
  const Json json = parsed(run_json(run))["run"];
  EXPECT_EQ(json["info"], parsed(R"({"run_id": "abc", "run_uuid": "abc", "run_name": "calm",
      "experiment_id": "2", "user_id": "ada", "status": "FINISHED", "start_time": 17,
      "artifact_uri": "mlflow-artifacts:/2/abc/artifacts", "lifecycle_stage": "active"})"));
  EXPECT_EQ(json["data"], parsed(R"({
      "metrics": [{"key": "loss", "value": 0.5, "timestamp": 18, "step": 4}],
      "params": [{"key": "lr", "value": "0.1"}],
      "tags": [{"key": "mlflow.runName", "value": "calm"}]})"));
  EXPECT_EQ(json["inputs"]["dataset_inputs"][0]["dataset"]["digest"], "x");
  EXPECT_EQ(json["inputs"]["dataset_inputs"][0]["tags"][0]["value"], "training");
  EXPECT_EQ(json["outputs"]["model_outputs"][0], parsed(R"({"model_id": "m-1", "step": 5})"));
  run.end_time_ms = 20;
  EXPECT_EQ(parsed(run_info_json(run))["run_info"]["end_time"], 20);
}

TEST(MlflowAnswers, WhatAClientSaysOfARun) {
  const NewRun run = new_run_of(MlflowFields(R"({"experiment_id": "4", "run_name": "n",
      "user_id": "u", "start_time": "5", "tags": [{"key": "a", "value": "b"}]})"));
  EXPECT_EQ(run.experiment_id, 4);
  EXPECT_EQ(run.start_time_ms, 5);
  EXPECT_FALSE(run.owned) << "its process is not one of this machine";
  EXPECT_EQ(new_run_of(MlflowFields("{}")).experiment_id, kDefaultExperiment);
  EXPECT_EQ(run_update_of(MlflowFields(R"({"status": 3})")).status, RunStatus::kFinished);
  EXPECT_EQ(run_update_of(MlflowFields(R"({"status": "KILLED"})")).status, RunStatus::kKilled);
  EXPECT_EQ(run_update_of(MlflowFields("{}")).status, std::nullopt);
  EXPECT_THROW(run_update_of(MlflowFields(R"({"status": "BAD"})")), Error);
  EXPECT_THROW(dataset_inputs_of(MlflowFields(R"({"datasets": [{}]})")), Error);
  EXPECT_THROW(dataset_inputs_of(MlflowFields(R"({"datasets": [{"dataset": {"name": "a"}}]})")),
               Error);
}

TEST(MlflowAnswers, TheHistoryOfLoggedModelsStaysWithinATag) {
  const std::string model =
      R"({"artifact_path": "model", "flavors": {}, "utc_time_created": "t", "run_id": "r"})";
  std::string history;
  for (int i = 0; i < 300; ++i) {
    history = logged_model_history(history, model);
    ASSERT_LE(history.size(), RunLimits::kTagValue);
  }
  EXPECT_GT(parsed(history).size(), 50U);
  EXPECT_THROW(logged_model_history("", R"({"artifact_path": "model"})"), Error);
  EXPECT_THROW(logged_model_history("", "x"), Error);
}

TEST(MlflowAnswers, AVersionAndItsModel) {
  ModelVersion version{.name = "digits", .version = 3, .run_id = "r", .source = "runs:/r/model"};
  version.aliases = {"champion"};
  const Json json = parsed(model_version_json(version))["model_version"];
  EXPECT_EQ(json["version"], "3");
  EXPECT_EQ(json["status"], "READY");
  EXPECT_EQ(json["current_stage"], "None");
  EXPECT_EQ(json["aliases"][0], "champion");
  EXPECT_FALSE(json.contains("description"));
  const Json model = parsed(
      registered_model_json({{.name = "digits", .created_ms = 1, .aliases = {{"champion", 3}}},
                             {version}}))["registered_model"];
  EXPECT_EQ(model["latest_versions"][0]["version"], "3");
  EXPECT_EQ(model["aliases"][0], parsed(R"({"alias": "champion", "version": "3"})"));
  EXPECT_EQ(version_number_of(MlflowFields(R"({"version": "3"})")), 3);
  EXPECT_EQ(version_number_of(MlflowFields(R"({"version": 3})")), 3);
  EXPECT_THROW(version_number_of(MlflowFields("{}")), Error);
  EXPECT_THROW(version_number_of(MlflowFields(R"({"version": "x"})")), Error);
}

TEST(MlflowAnswers, ALoggedModel) {
  LoggedModel model{.model_id = "m-1", .experiment_id = 2, .name = "net"};
  model.experiment_folder = "2";
  model.status = "LOGGED_MODEL_READY";
  model.metrics = {{{"acc", 0.9, 1, 2}, "r", "d", "x"}};
  const Json json = parsed(logged_model_json(model))["model"];
  EXPECT_EQ(json["info"]["artifact_uri"], "mlflow-artifacts:/2/models/m-1/artifacts");
  EXPECT_EQ(json["data"]["metrics"][0]["dataset_name"], "d");
  EXPECT_EQ(logged_model_status_of(MlflowFields(R"({"status": 2})")), "LOGGED_MODEL_READY");
  EXPECT_THROW(logged_model_status_of(MlflowFields(R"({"status": "BAD"})")), Error);
}

TEST(MlflowAnswers, ASearchOfLoggedModels) {
  const LoggedModelSearch search = logged_model_search_of(MlflowFields(
      R"({"order_by": [{"field_name": "metrics.acc", "ascending": false, "dataset_name": "d"},
          {"field_name": "name"}, {"field_name": "metrics.top 1"}, {"field_name": "metrics.`a b`"}],
          "datasets": [{"dataset_name": "a", "dataset_digest": "1"}, {"dataset_name": "b"}]})"));
  EXPECT_THAT(search.options.order_by,
              testing::ElementsAre("metrics.`acc` DESC", "name ASC", "metrics.`top 1` ASC",
                                   "metrics.`a b` ASC"));
  using Datasets = std::vector<MetricDataset>;
  EXPECT_EQ(search.datasets.filter, (Datasets{{"a", "1"}, {"b"}}));
  EXPECT_EQ(search.datasets.order_by, (Datasets{{"d"}, {}, {}, {}}));
  for (const char* bad :
       {R"({"datasets": [{"dataset_digest": "1"}]})",
        R"({"order_by": [{"field_name": "metrics.a", "dataset_digest": "1"}]})"}) {
    EXPECT_THROW(logged_model_search_of(MlflowFields(bad)), Error);
  }
}

TEST(MlflowAnswers, AnError) {
  EXPECT_EQ(mlflow_error_json("BAD_REQUEST", "no \"x\""),
            R"({"error_code":"BAD_REQUEST","message":"no \"x\""})");
}

}  // namespace
}  // namespace onnxop
