#pragma once
// How the calls of MLflow's REST API become routes: each at four prefixes, with a Registry of the
// pool and the request's parameters in hand.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "onnxop/registry/registry.h"
#include "onnxop/server/route_table.h"
#include "onnxop/server/server_options.h"
#include "onnxop/wire/mlflow_fields.h"

namespace onnxop {

/// One call, on the thread that answers it.
class MlflowCall {
 public:
  MlflowCall(Registry& registry, const Request& request) : registry_(registry), request_(request) {}

  Registry& registry() const { return registry_; }
  /// Of the query where it is a GET with one, else of the body; read when they are first asked for.
  const MlflowFields& fields();
  std::string_view body() const;
  /// What a placeholder of the path stands for.
  const std::string& path_value(std::size_t index) const { return request_.path_values.at(index); }

 private:
  Registry& registry_;
  const Request& request_;
  std::optional<MlflowFields> fields_;
};

/// -> the JSON of the answer.
using MlflowHandler = std::function<std::string(MlflowCall&)>;

/// What a call is, besides what it does.
struct MlflowOperation {
  std::string method = {};
  std::string path = {};     // behind ".../mlflow/": "runs/create"
  std::string id = {};       // in the OpenAPI document
  std::string summary = {};  // one line
  Permission permission = Permission::kRead;
  std::optional<Lane> lane = std::nullopt;  // kTracking, or what its permission lets it do
};

class MlflowTable {
 public:
  /// Both outlive it, and the options all that it adds.
  MlflowTable(RouteTable& table, const TrackingOptions& options)
      : table_(table), options_(options) {}

  const TrackingOptions& options() const { return options_; }

  /// At /api/2.0/mlflow/…, and at /api/3.0/… and the two /ajax-api/… that browsers ask.
  void add(const MlflowOperation& operation, MlflowHandler handler);

  /// A route at /api/2.0PATH and /ajax-api/2.0PATH. Its operation's path and what all routes of the
  /// tracking have in common are set here.
  void add_route(std::string_view path, Route route);

  /// A Registry for the time of `use`, whose actor is the request's.
  static Response with_registry(const TrackingOptions& options, const Request& request,
                                const std::function<Response(Registry&)>& use);

 private:
  void add_at(const std::string& path, Route route, bool described);

  RouteTable& table_;
  const TrackingOptions& options_;
};

// By subject, each in a file of its own.
void add_mlflow_experiments(MlflowTable& table);
void add_mlflow_runs(MlflowTable& table);
void add_mlflow_metrics(MlflowTable& table);
void add_mlflow_logged_models(MlflowTable& table);
void add_mlflow_models(MlflowTable& table);
void add_mlflow_versions(MlflowTable& table);
void add_mlflow_artifacts(MlflowTable& table);

}  // namespace onnxop
