#include "onnxop/server/mlflow_routes.h"

#include <string>

#include "onnxop/base/json_writer.h"
#include "onnxop/server/mlflow_table.h"

namespace onnxop {
namespace {

Response text_response(std::string text) {
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

/// What clients look at before they use what not every server has.
std::string server_info() {
  JsonWriter json;
  json.open_object()
      .text("store_type", "SqlStore")
      .truth("workspaces_enabled", false)
      .truth("trace_archival_enabled", false)
      .truth("multipart_uploads_enabled", false)
      .truth("multipart_downloads_enabled", false)
      .close_object();
  return json.take();
}

Route open_get(std::string path, std::string id, std::string summary,
               std::function<Response(const Request&)> handler) {
  return {.operation = {.method = "GET",
                        .path = std::move(path),
                        .id = std::move(id),
                        .summary = std::move(summary),
                        .answer = ApiSchema::kText,
                        .tag = "MLflow"},
          .permission = Permission::kOpen,
          .handler = std::move(handler)};
}

}  // namespace

void add_mlflow_routes(RouteTable& table, const TrackingOptions& options,
                       std::string_view program_version) {
  table.add(open_get("/health", "mlflowHealth", "The process answers, as MLflow's server says it",
                     [](const Request&) { return text_response("OK"); }),
            RoutePort::kTracking);
  table.add(open_get("/version", "mlflowVersion", "Of this program",
                     [version = std::string(program_version)](const Request&) {
                       return text_response(version);
                     }),
            RoutePort::kTracking);
  MlflowTable calls(table, options);
  calls.add({.method = "GET",
             .path = "server-info",
             .id = "mlflowServerInfo",
             .summary = "What this server has"},
            [](MlflowCall&) { return server_info(); });
  add_mlflow_experiments(calls);
  add_mlflow_runs(calls);
  add_mlflow_metrics(calls);
  add_mlflow_logged_models(calls);
  add_mlflow_models(calls);
  add_mlflow_versions(calls);
  add_mlflow_artifacts(calls);
}

}  // namespace onnxop
