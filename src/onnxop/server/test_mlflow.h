#pragma once
// For tests: MLflow's REST API without sockets, on a real store.

#include <string>

#include <gtest/gtest.h>

#include "onnxop/base/json_value.h"
#include "onnxop/server/mlflow_routes.h"
#include "onnxop/server/test_tracking.h"

namespace onnxop::testing_server {

class MlflowRoutesTest : public testing::Test {
 protected:
  MlflowRoutesTest() : options_(tracking_.options()) {
    add_mlflow_routes(table_, options_, "1.2.3");
  }

  Response ask(const std::string& method, const std::string& target, const std::string& body = "") {
    const auto match = table_.match(method, target);
    if (match.route == nullptr) {
      return match.refusal;
    }
    Request request;
    request.method = method;
    request.target = target;
    request.path_values = match.path_values;
    request.actor = "ada";
    if (!body.empty()) {
      request.fields = {{"content-type", "application/json"}};
    }
    const auto bytes = as_bytes(body);
    if (match.route->body_file) {
      request.body_file = match.route->body_file();
      request.body_file->append(bytes);
    } else {
      request.body.assign(bytes.begin(), bytes.end());
    }
    return answer(request, [&] { return match.route->handler(request); });
  }

  /// Of a call below /api/2.0/mlflow/ that works.
  Json call(const std::string& method, const std::string& path, const std::string& body = "") {
    const Response response = ask(method, "/api/2.0/mlflow/" + path, body);
    EXPECT_EQ(response.status, 200) << method << " " << path << ": " << response.body;
    return parse_json(response.body, path);
  }

  /// Status and error_code of one that does not.
  std::string refused(const std::string& method, const std::string& path,
                      const std::string& body = "") {
    const Response response = ask(method, "/api/2.0/mlflow/" + path, body);
    const Json json = parse_json(response.body, path);
    EXPECT_TRUE(json.contains("message") && json.size() == 2) << response.body;
    return format("{} {}", response.status, json.value("error_code", "none"));
  }

  std::string new_run(const std::string& experiment = "0") {
    return call("POST", "runs/create",
                format(R"({{"experiment_id": "{}"}})", experiment))["run"]["info"]["run_id"]
        .get<std::string>();
  }

  void put(const std::string& path, const std::string& content) {
    const Response response = ask("PUT", "/api/2.0/mlflow-artifacts/artifacts/" + path, content);
    EXPECT_EQ(response.status, 200) << response.body;
  }

  TestTracking tracking_;
  TrackingOptions options_;
  RouteTable table_;
};

inline constexpr const char* kInvalid = "400 INVALID_PARAMETER_VALUE";
inline constexpr const char* kMissing = "404 RESOURCE_DOES_NOT_EXIST";

}  // namespace onnxop::testing_server
