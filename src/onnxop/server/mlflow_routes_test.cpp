// MLflow's REST API without sockets, on a real store.

#include <gmock/gmock.h>

#include "onnxop/server/test_mlflow.h"

namespace onnxop::testing_server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST_F(MlflowRoutesTest, Experiments) {
  EXPECT_EQ(call("GET", "experiments/get?experiment_id=0")["experiment"]["name"], "Default");
  const std::string id =
      call("POST", "experiments/create",
           R"({"name": "digits", "tags": [{"key": "a", "value": "b"}]})")["experiment_id"];
  const Json made = call("GET", "experiments/get-by-name?experiment_name=digits")["experiment"];
  EXPECT_EQ(made["experiment_id"], id);
  EXPECT_EQ(made["artifact_location"], "mlflow-artifacts:/" + id);
  EXPECT_EQ(made["tags"][0]["value"], "b");
  EXPECT_EQ(refused("POST", "experiments/create", R"({"name": "digits"})"),
            "400 RESOURCE_ALREADY_EXISTS");
  EXPECT_EQ(refused("GET", "experiments/get-by-name?experiment_name=none"), kMissing);
  EXPECT_EQ(refused("GET", "experiments/get?experiment_id=999"), kMissing);
  EXPECT_EQ(refused("GET", "experiments/get?experiment_id=x"), kInvalid);
  EXPECT_EQ(refused("POST", "experiments/create", "{}"), kInvalid);
  EXPECT_EQ(refused("POST", "experiments/create", "{"), kInvalid);
  EXPECT_EQ(refused("POST", "experiments/create",
                    R"({"name": "x", "artifact_location": "/tmp/elsewhere"})"),
            kInvalid);
  const Json chosen = call("POST", "experiments/create",
                           R"({"name": "x", "artifact_location": "mlflow-artifacts:/mine/x"})");
  const std::string it = "experiment_id=" + chosen["experiment_id"].get<std::string>();
  EXPECT_EQ(call("GET", "experiments/get?" + it)["experiment"]["artifact_location"],
            "mlflow-artifacts:/mine/x");
  call("POST", "experiments/delete", dump_json(chosen));
  const std::string about = format(R"("experiment_id": "{}")", id);
  call("POST", "experiments/update", "{" + about + R"(, "new_name": "letters"})");
  call("POST", "experiments/set-experiment-tag", "{" + about + R"(, "key": "c", "value": "d"})");
  call("POST", "experiments/delete-experiment-tag", "{" + about + R"(, "key": "a"})");
  const Json changed = call("GET", "experiments/get?experiment_id=" + id)["experiment"];
  EXPECT_EQ(changed["name"], "letters");
  EXPECT_EQ(changed["tags"].size(), 1U);
  call("POST", "experiments/delete", "{" + about + "}");
  EXPECT_EQ(call("POST", "experiments/search", R"({"max_results": 10})")["experiments"].size(), 1U);
  EXPECT_EQ(call("GET", "experiments/search?max_results=10&view_type=ALL")["experiments"].size(),
            3U);
  EXPECT_EQ(refused("POST", "runs/create", "{" + about + "}"), kInvalid);
  call("POST", "experiments/restore", "{" + about + "}");
  new_run(id);
}

TEST_F(MlflowRoutesTest, ARunFromItsBeginningToItsEnd) {
  const Json made = call("POST", "runs/create", R"({"experiment_id": "0", "user_id": "ada",
      "run_name": "first", "start_time": 1700000000000, "tags": [{"key": "k", "value": "v"}]})")
      ["run"];
  const std::string id = made["info"]["run_id"];
  EXPECT_EQ(made["info"]["status"], "RUNNING");
  EXPECT_EQ(made["info"]["artifact_uri"], "mlflow-artifacts:/0/" + id + "/artifacts");
  const std::string about = format(R"("run_id": "{}", "run_uuid": "{}")", id, id);
  call("POST", "runs/log-batch", "{" + about + R"(,
      "metrics": [{"key": "loss", "value": 0.5, "timestamp": 1, "step": 1},
                  {"key": "loss", "value": "NaN", "timestamp": 2, "step": 2}],
      "params": [{"key": "lr", "value": "0.1"}], "tags": [{"key": "note", "value": "x"}]})");
  call("POST", "runs/log-metric",
       "{" + about + R"(, "key": "loss", "value": "0.25", "timestamp": "3", "step": "3"})");
  call("POST", "runs/log-parameter", "{" + about + R"(, "key": "lr", "value": "0.1"})");
  EXPECT_EQ(refused("POST", "runs/log-parameter", "{" + about + R"(, "key": "lr", "value": "2"})"),
            kInvalid)
      << "a parameter stays";
  call("POST", "runs/set-tag", "{" + about + R"(, "key": "note", "value": "y"})");
  call("POST", "runs/delete-tag", "{" + about + R"(, "key": "k"})");
  call("POST", "runs/log-inputs", "{" + about + R"(, "datasets": [{"dataset": {"name": "d",
      "digest": "x", "source_type": "local", "source": "s"}}]})");
  call("POST", "runs/log-model", "{" + about + R"(, "model_json":
      "{\"artifact_path\": \"m\", \"flavors\": {}, \"utc_time_created\": \"t\", \"run_id\": \"r\"}"})");
  EXPECT_EQ(call("POST", "runs/update",
                 "{" + about +
                     R"(, "status": "FINISHED", "end_time": 1700000001000})")["run_info"]["status"],
            "FINISHED");
  const Json run = call("GET", "runs/get?run_id=" + id + "&run_uuid=" + id)["run"];
  EXPECT_EQ(run["info"]["end_time"], 1700000001000);
  EXPECT_EQ(run["data"]["metrics"][0]["value"], 0.25);
  EXPECT_EQ(run["data"]["params"][0]["value"], "0.1");
  EXPECT_EQ(run["inputs"]["dataset_inputs"][0]["dataset"]["name"], "d");
  const Json history = call("GET", "metrics/get-history?metric_key=loss&run_id=" + id)["metrics"];
  ASSERT_EQ(history.size(), 3U);
  EXPECT_EQ(history[1]["value"], "NaN");
  const Json page = call("GET", "metrics/get-history?metric_key=loss&max_results=2&run_id=" + id);
  EXPECT_EQ(page["metrics"].size(), 2U);
  EXPECT_TRUE(page.contains("next_page_token"));
  EXPECT_EQ(call("GET", "metrics/get-history-bulk-interval?metric_key=loss&run_ids=" + id +
                            "&start_step=2&end_step=3")["metrics"]
                .size(),
            2U);
  EXPECT_EQ(refused("GET",
                    "metrics/get-history-bulk-interval?metric_key=loss&start_step=2&run_ids=" + id),
            kInvalid);
  call("POST", "runs/delete", "{" + about + "}");
  EXPECT_EQ(refused("POST", "runs/set-tag", "{" + about + R"(, "key": "a", "value": "b"})"),
            kInvalid);
  call("POST", "runs/restore", "{" + about + "}");
}

TEST_F(MlflowRoutesTest, RunsAreSearched) {
  const std::string id = new_run();
  new_run();
  call("POST", "runs/log-metric",
       format(R"({{"run_id": "{}", "key": "acc", "value": 0.9, "timestamp": 1}})", id));
  const auto found = [&](const std::string& more) {
    return call("POST", "runs/search", R"({"experiment_ids": ["0"])" + more + "}")["runs"];
  };
  EXPECT_EQ(found("").size(), 2U);
  EXPECT_EQ(found(R"(, "filter": "metrics.acc > 0.5")").size(), 1U);
  EXPECT_EQ(found(R"(, "filter": "metrics.acc > 0.5")")[0]["info"]["run_id"], id);
  const Json first = call("POST", "runs/search", R"({"experiment_ids": ["0"], "max_results": 1})");
  EXPECT_EQ(first["runs"].size(), 1U);
  EXPECT_EQ(
      found(format(R"(, "max_results": 1, "page_token": {})", dump_json(first["next_page_token"])))
          .size(),
      1U);
  EXPECT_EQ(call("POST", "runs/search", R"({"experiment_ids": []})")["runs"].size(), 0U);
  EXPECT_EQ(refused("POST", "runs/search", R"({"experiment_ids": ["0"], "filter": "a b"})"),
            kInvalid);
  EXPECT_EQ(refused("POST", "runs/search", R"({"experiment_ids": ["0"], "max_results": 50001})"),
            kInvalid);
}

TEST_F(MlflowRoutesTest, Artifacts) {
  const std::string id = new_run();
  const std::string root = "0/" + id + "/artifacts";
  put(root + "/model/MLmodel", "flavors:\n");
  put(root + "/ein%20L%C3%B6ffel.txt", "voll");
  const Json top = call("GET", "artifacts/list?run_id=" + id);
  EXPECT_EQ(top["root_uri"], "mlflow-artifacts:/" + root);
  ASSERT_EQ(top["files"].size(), 2U);
  EXPECT_EQ(top["files"][0]["path"], "ein Löffel.txt");
  EXPECT_EQ(top["files"][0]["file_size"], 4);
  EXPECT_EQ(top["files"][1]["is_dir"], true);
  EXPECT_EQ(call("GET", "artifacts/list?path=model&run_id=" + id)["files"][0]["path"],
            "model/MLmodel");
  EXPECT_EQ(refused("GET", "artifacts/list?path=..%2F..&run_id=" + id), kInvalid);
  const std::string files = "/api/2.0/mlflow-artifacts/artifacts";
  EXPECT_EQ(ask("GET", files + "?path=" + root + "/model").body,
            R"({"files":[{"path":"MLmodel","is_dir":false,"file_size":9}]})");
  const Response got = ask("GET", files + "/" + root + "/model/MLmodel");
  ASSERT_TRUE(got.file);
  EXPECT_EQ(got.file->bytes, 9U);
  EXPECT_EQ(ask("GET", files + "/" + root + "/none").status, 404);
  for (const char* bad : {"/0/../1", "/0/%2e%2e/1", "/0/%252e%252e/1", "/0/a%00b", "/0//etc"}) {
    EXPECT_EQ(ask("GET", files + bad).status, std::string(bad) == "/0//etc" ? 404 : 400) << bad;
    EXPECT_GE(ask("PUT", files + bad, "x").status, std::string(bad) == "/0//etc" ? 200 : 400)
        << bad;
  }
  EXPECT_EQ(ask("DELETE", files + "/" + root + "/model").body, "{}");
  EXPECT_EQ(ask("DELETE", files + "/" + root + "/model").body, "{}") << "gone already";
  EXPECT_EQ(call("GET", "artifacts/list?run_id=" + id)["files"].size(), 1U);
  const Response multipart =
      ask("POST", "/api/2.0/mlflow-artifacts/mpu/create/" + root + "/x", "{}");
  EXPECT_EQ(multipart.status, 501);
  EXPECT_THAT(parse_json(multipart.body, "answer")["message"].get<std::string>(),
              StartsWith("Multipart upload is not supported for the current artifact repository"));
}

TEST_F(MlflowRoutesTest, WhatAsksAndWhatChangesHaveThreadsOfTheirOwn) {
  const auto lane = [&](const std::string& method, const std::string& path) {
    return table_.match(method, "/api/2.0/mlflow/" + path).route->lane;
  };
  EXPECT_EQ(lane("POST", "runs/search"), Lane::kTracking);
  EXPECT_EQ(lane("GET", "metrics/get-history"), Lane::kTracking);
  for (const char* path : {"runs/create", "runs/log-batch", "runs/log-metric", "runs/delete",
                           "experiments/create", "registered-models/rename"}) {
    EXPECT_EQ(lane("POST", path), Lane::kTrackingWrites) << path;
  }
  for (const Route* route : table_.routes()) {
    if (route->lane == Lane::kTracking) {
      EXPECT_EQ(route->permission, Permission::kRead) << route->operation.path;
    }
  }
}

TEST_F(MlflowRoutesTest, LoggedModels) {
  const std::string run = new_run();
  const std::string id = call("POST", "logged-models",
                              format(R"({{"experiment_id": "0", "name": "net",
          "source_run_id": "{}", "params": [{{"key": "a", "value": "1"}}]}})",
                                     run))["model"]["info"]["model_id"];
  const std::string path = "logged-models/" + id;
  EXPECT_EQ(call("PATCH", path,
                 format(R"({{"model_id": "{}", "status": "LOGGED_MODEL_READY"}})",
                        id))["model"]["info"]["status"],
            "LOGGED_MODEL_READY");
  call("PATCH", path + "/tags", R"({"tags": [{"key": "x", "value": "y"}]})");
  call("POST", path + "/params", R"({"params": [{"key": "b", "value": "2"}]})");
  call("POST", "runs/outputs",
       format(R"({{"run_id": "{}", "models": [{{"model_id": "{}", "step": 3}}]}})", run, id));
  call("POST", "runs/log-batch",
       format(R"({{"run_id": "{}", "metrics": [{{"key": "acc", "value": 0.9,
      "timestamp": 1, "model_id": "{}", "dataset_name": "d", "dataset_digest": "x"}}]}})",
              run, id));
  put("0/models/" + id + "/artifacts/MLmodel", "x");
  EXPECT_EQ(call("GET", path + "/artifacts/directories")["files"][0]["path"], "MLmodel");
  const Json model = call("GET", path)["model"];
  EXPECT_EQ(model["data"]["params"].size(), 2U);
  EXPECT_EQ(model["data"]["metrics"][0]["value"], 0.9);
  EXPECT_EQ(call("GET", "runs/get?run_id=" + run)["run"]["outputs"]["model_outputs"][0]["step"], 3);
  EXPECT_EQ(call("POST", "logged-models/search",
                 R"({"experiment_ids": ["0"], "filter": "name = 'net'"})")["models"]
                .size(),
            1U);
  call("POST", "registered-models/create", R"({"name": "digits"})");
  EXPECT_EQ(call("POST", "model-versions/create",
                 format(R"({{"name": "digits", "source": "models:/{}"}})",
                        id))["model_version"]["model_id"],
            id);
  EXPECT_EQ(call("GET", "model-versions/get-download-uri?name=digits&version=1")["artifact_uri"],
            "mlflow-artifacts:/0/models/" + id + "/artifacts");
  EXPECT_THAT(dump_json(call("GET", path)["model"]["info"]["tags"]),
              HasSubstr("mlflow.modelVersions"));
  call("DELETE", path + "/tags/x");
  call("DELETE", path);
  EXPECT_EQ(refused("GET", path), kMissing);
  EXPECT_EQ(refused("POST", "runs/log-metric",
                    format(R"({{"run_id": "{}", "key": "acc", "value": 1,
      "timestamp": 1, "model_id": "m-00000000000000000000000000000000"}})",
                           run)),
            kMissing);
}

TEST_F(MlflowRoutesTest, EveryPrefixAnswersTheSame) {
  for (const char* prefix : {"/api/2.0", "/api/3.0", "/ajax-api/2.0", "/ajax-api/3.0"}) {
    EXPECT_EQ(ask("GET", format("{}/mlflow/experiments/get?experiment_id=0", prefix)).status, 200);
    EXPECT_EQ(ask("GET", format("{}/mlflow/server-info", prefix)).status, 200);
  }
  EXPECT_EQ(ask("GET", "/ajax-api/2.0/mlflow-artifacts/artifacts").status, 200);
  EXPECT_EQ(ask("GET", "/health").body, "OK");
  EXPECT_EQ(ask("GET", "/version").body, "1.2.3");
}

TEST_F(MlflowRoutesTest, WhatIsNotThereIsNoEndpoint) {
  EXPECT_EQ(refused("GET", "traces/search"), "404 ENDPOINT_NOT_FOUND");
  EXPECT_EQ(refused("GET", "runs/create"), "405 ENDPOINT_NOT_FOUND");
  EXPECT_EQ(refused("PUT", "experiments/create", "{}"), "405 ENDPOINT_NOT_FOUND");
}

TEST_F(MlflowRoutesTest, WhoChangesTheRegistryStandsInItsHistory) {
  call("POST", "registered-models/create", R"({"name": "digits"})");
  EXPECT_EQ(tracking_.pool().take("")->models().history("digits").at(0).actor, "ada");
}

TEST_F(MlflowRoutesTest, ABodyIsJsonAndSaysSo) {
  Request request;
  request.method = "POST";
  request.target = "/api/2.0/mlflow/experiments/create";
  request.fields = {{"content-type", "text/plain"}};
  const auto body = as_bytes(R"({"name": "x"})");
  request.body.assign(body.begin(), body.end());
  const auto match = table_.match(request.method, request.target);
  EXPECT_EQ(answer(request, [&] { return match.route->handler(request); }).status, 400);
}

}  // namespace
}  // namespace onnxop::testing_server
