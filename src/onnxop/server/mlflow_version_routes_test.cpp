// Registered models and the sources of their versions, over MLflow's REST API.

#include "onnxop/server/test_mlflow.h"

namespace onnxop::testing_server {
namespace {

class MlflowVersionRoutesTest : public MlflowRoutesTest {};

TEST_F(MlflowVersionRoutesTest, RegisteredModels) {
  call("POST", "registered-models/create",
       R"({"name": "digits", "description": "d", "tags": [{"key": "a", "value": "b"}]})");
  EXPECT_EQ(refused("POST", "registered-models/create", R"({"name": "digits"})"),
            "400 RESOURCE_ALREADY_EXISTS");
  const std::string run = new_run();
  const std::string version = format(
      R"({{"name": "digits", "source": "mlflow-artifacts:/0/{}/artifacts/model", "run_id": "{}"}})",
      run, run);
  const Json made = call("POST", "model-versions/create", version)["model_version"];
  EXPECT_EQ(made["version"], "1");
  EXPECT_EQ(made["run_id"], run);
  call("POST", "registered-models/alias",
       R"({"name": "digits", "alias": "champion", "version": "1"})");
  EXPECT_EQ(
      call("GET", "registered-models/alias?name=digits&alias=champion")["model_version"]["version"],
      "1");
  EXPECT_EQ(refused("GET", "registered-models/alias?name=digits&alias=none"), kInvalid);
  EXPECT_EQ(refused("GET", "registered-models/alias?name=none&alias=none"), kMissing);
  EXPECT_EQ(call("GET", "model-versions/get-download-uri?name=digits&version=1")["artifact_uri"],
            "mlflow-artifacts:/0/" + run + "/artifacts/model");
  call(
      "POST", "model-versions/transition-stage",
      R"({"name": "digits", "version": "1", "stage": "Production", "archive_existing_versions": true})");
  call("PATCH", "model-versions/update",
       R"({"name": "digits", "version": "1", "description": "n"})");
  call("POST", "model-versions/set-tag",
       R"({"name": "digits", "version": "1", "key": "t", "value": "v"})");
  const Json got = call("GET", "model-versions/get?name=digits&version=1")["model_version"];
  EXPECT_EQ(got["current_stage"], "Production");
  EXPECT_EQ(got["description"], "n");
  EXPECT_EQ(got["tags"][0]["value"], "v");
  EXPECT_EQ(got["aliases"][0], "champion");
  EXPECT_EQ(call("POST", "registered-models/get-latest-versions",
                 R"({"name": "digits"})")["model_versions"]
                .size(),
            1U);
  EXPECT_EQ(call("GET", "registered-models/search?max_results=10")["registered_models"][0]
                                                                  ["latest_versions"][0]["version"],
            "1");
  EXPECT_EQ(
      call("GET", "model-versions/search?filter=name%3D%27digits%27")["model_versions"].size(), 1U);
  call("DELETE", "model-versions/delete-tag", R"({"name": "digits", "version": "1", "key": "t"})");
  call("DELETE", "registered-models/delete-tag", R"({"name": "digits", "key": "a"})");
  call("DELETE", "registered-models/alias", R"({"name": "digits", "alias": "champion"})");
  call("DELETE", "registered-models/alias", R"({"name": "digits", "alias": "champion"})");
  EXPECT_EQ(call("POST", "registered-models/rename",
                 R"({"name": "digits", "new_name": "letters"})")["registered_model"]["name"],
            "letters");
  call("DELETE", "model-versions/delete", R"({"name": "letters", "version": "1"})");
  call("DELETE", "registered-models/delete", R"({"name": "letters"})");
  EXPECT_EQ(refused("GET", "registered-models/get?name=letters"), kMissing);
}

TEST_F(MlflowVersionRoutesTest, AVersionsSourceLiesInItsRun) {
  call("POST", "registered-models/create", R"({"name": "digits"})");
  const std::string run = new_run();
  const std::string other = new_run();
  const auto create = [&](const std::string& source, const std::string& more) {
    return ask("POST", "/api/2.0/mlflow/model-versions/create",
               format(R"({{"name": "digits", "source": "{}"{}}})", source, more))
        .status;
  };
  const std::string of_run = format(R"(, "run_id": "{}")", run);
  EXPECT_EQ(create("mlflow-artifacts:/0/" + run + "/artifacts", of_run), 200);
  EXPECT_EQ(create("runs:/" + run + "/model", of_run), 200);
  EXPECT_EQ(create("runs:/" + run + "/model", ""), 200);
  EXPECT_EQ(create("models:/digits/2", ""), 200) << "a copy";
  EXPECT_EQ(create("models:/digits/4", ""), 200) << "of a copy";
  EXPECT_EQ(call("GET", "model-versions/get-download-uri?name=digits&version=5")["artifact_uri"],
            "mlflow-artifacts:/0/" + run + "/artifacts/model");
  call("POST", "registered-models/alias", R"({"name": "digits", "alias": "next", "version": "2"})");
  EXPECT_EQ(create("models:/digits@next", ""), 200);
  call("POST", "registered-models/alias", R"({"name": "digits", "alias": "next", "version": "1"})");
  EXPECT_EQ(call("GET", "model-versions/get?name=digits&version=6")["model_version"]["source"],
            "models:/digits/2");
  call("DELETE", "model-versions/delete", R"({"name": "digits", "version": "2"})");
  EXPECT_EQ(refused("GET", "model-versions/get-download-uri?name=digits&version=6"), kMissing);

  // A copy takes the name that it was copied from, and is its own origin then.
  call("POST", "registered-models/create", R"({"name": "copy"})");
  call("POST", "model-versions/create", R"({"name": "copy", "source": "models:/digits/1"})");
  call("DELETE", "registered-models/delete", R"({"name": "digits"})");
  call("POST", "registered-models/rename", R"({"name": "copy", "new_name": "digits"})");
  EXPECT_EQ(
      ask("GET", "/api/2.0/mlflow/model-versions/get-download-uri?name=digits&version=1").status,
      400);
  call("POST", "registered-models/rename", R"({"name": "digits", "new_name": "copy"})");
  call("POST", "registered-models/create", R"({"name": "digits"})");
  EXPECT_EQ(create("runs:/" + other + "/model", ""), 200);
  EXPECT_EQ(
      ask("GET", "/api/2.0/mlflow/model-versions/get-download-uri?name=copy&version=1").status,
      400);
  EXPECT_EQ(create("mlflow-artifacts:/0/" + run + "/artifacts/model", ""), 400);
  for (const std::string& source :
       {"mlflow-artifacts:/0/" + other + "/artifacts/model", "runs:/" + other + "/model",
        "mlflow-artifacts:/0/" + run, "mlflow-artifacts:/0/" + run + "/artifacts_too",
        "mlflow-artifacts:/0/" + run + "/artifacts/../../x",
        "mlflow-artifacts:/0/" + run + "/artifacts/%2e%2e/x",
        "mlflow-artifacts:/0/" + run + "/artifacts/%252e%252e/x", std::string("/etc/passwd"),
        std::string("file:///etc/passwd"), std::string("s3://bucket/x"),
        std::string("models:/m-00000000000000000000000000000000/../x")}) {
    EXPECT_EQ(create(source, of_run), 400) << source;
  }
  EXPECT_EQ(refused("POST", "model-versions/create",
                    format(R"({{"name": "none", "source": "runs:/{}/m"}})", run)),
            kMissing);
}

}  // namespace
}  // namespace onnxop::testing_server
