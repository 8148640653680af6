#include "onnxop/server/routes.h"

#include <algorithm>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/server/image_answer.h"
#include "onnxop/server/index_page.h"
#include "onnxop/server/mlflow_routes.h"
#include "onnxop/server/multipart.h"
#include "onnxop/server/oip_routes.h"
#include "onnxop/server/traffic_routes.h"
#include "onnxop/wire/image_json.h"
#include "onnxop/wire/model_list_json.h"

namespace onnxop {
namespace {

constexpr std::string_view kDefaultRoute = "classify_digit";
constexpr std::string_view kDefaultModel = "mnist";

std::string api_path(const ModelRoute& route) {
  return "/api/" + route.name;
}

ModelLease find_image_model(const ServingSet& set, const ModelRoute& route) {
  const ModelLease model = set.find(route.model);
  if (!model) {
    std::vector<std::string_view> known;
    for (const ModelLease& each : set.models()) {
      known.push_back(each->name);
    }
    fail(ErrorCode::kNotFound, "route {}: model '{}' is not served; served: {}", api_path(route),
         route.model, known.empty() ? "none" : format("{}", join(known, ", ")));
  }
  if (!model->contract) {
    fail(ErrorCode::kFailedPrecondition,
         "route {}: model '{}' takes no images; a contract would say how they become its input",
         api_path(route), route.model);
  }
  return model;
}

/// The catalog may have changed since the start.
void check_loaded(const ModelLease& model, const ModelRoute& route) {
  if (!model || !model->contract) {
    fail(ErrorCode::kUnavailable, "model '{}' is not loaded at this time", route.model);
  }
}

/// What a route finds when it is asked.
AssignedModel assign(const ServingCore& core, const ModelRoute& route, const Request& request) {
  AssignedModel assigned =
      assign_model(core, *core.catalog.snapshot(), route.model, caller_of(core, request));
  check_loaded(assigned.model, route);
  return assigned;
}

Route model_route(const ModelRoute& route, const ServingCore& core, std::int64_t max_pixels) {
  const ApiOperation operation{
      .method = "POST",
      .path = api_path(route),
      .id = route.name,
      .summary = format("What the model '{}' says of an image", route.model),
      .body = ApiBody::kImage,
      .answer = ApiSchema::kPrediction,
      .errors = {400, 408, 413, 415, 429, 500, 503}};
  return {.operation = operation,
          .permission = Permission::kInfer,
          .pending = [core, route, max_pixels](Request& request) {
            return classify_images({request.content()}, false, assign(core, route, request),
                                   max_pixels, core.scheduler);
          }};
}

/// What one request may hold.
constexpr std::size_t kMostImages = 64;

std::unique_ptr<PendingAnswer> classify(const ServingCore& core, std::int64_t max_pixels,
                                        const Request& request) {
  AssignedModel assigned = assign_model(core, request.path_values.at(0), named_version(request),
                                        caller_of(core, request));
  const std::string_view type = request.field("content-type");
  if (!is_multipart(type)) {
    return classify_images({request.content()}, false, std::move(assigned), max_pixels,
                           core.scheduler);
  }
  return classify_images(multipart_files(request.content(), type, kMostImages), true,
                         std::move(assigned), max_pixels, core.scheduler);
}

void add_classify_routes(RouteTable& table, const ServerOptions& options,
                         const RouteContext& context) {
  for (const bool versioned : {false, true}) {
    table.add({.operation = {.method = "POST",
                             .path = versioned ? "/api/models/{model}/versions/{version}/classify"
                                               : "/api/models/{model}/classify",
                             .id = versioned ? "classifyVersion" : "classify",
                             .summary = "What a model says of an image, or of several files",
                             .body = ApiBody::kImages,
                             .answer = ApiSchema::kPredictions,
                             .errors = {400, 404, 408, 409, 413, 415, 429, 500, 503}},
               .permission = Permission::kInfer,
               .pending = [core = context.core, max_pixels = options.max_pixels](
                              Request& request) { return classify(core, max_pixels, request); }},
              RoutePort::kInference);
  }
}

Response json_response(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

void check_ready(const std::vector<ModelRoute>& model_routes, const RouteContext& context) {
  if (context.unready) {
    fail(ErrorCode::kUnavailable, "the server is shutting down");
  }
  for (const ModelRoute& route : model_routes) {
    check_loaded(context.core.catalog.snapshot()->find(route.model), route);
  }
}

std::string model_list(const ServingSet& set, const std::vector<ModelRoute>& model_routes) {
  std::vector<ModelListEntry> entries;
  for (const ModelLease& model : set.models()) {
    ModelListEntry entry{model->name, model->version, model->sha256, {}, model->contract};
    for (const ModelRoute& route : model_routes) {
      if (set.find(route.model) == model) {
        entry.routes.push_back(api_path(route));
      }
    }
    entries.push_back(std::move(entry));
  }
  return model_list_json(entries);
}

std::vector<IndexEntry> index_entries(const ServingSet& set,
                                      const std::vector<ModelRoute>& model_routes) {
  std::vector<IndexEntry> entries;
  for (const ModelRoute& route : model_routes) {
    entries.push_back({api_path(route), route.model, set.find(route.model)});
  }
  return entries;
}

/// The operation as the gate lets it be used.
ApiOperation described(const Route& route, const AccessGate* gate) {
  ApiOperation operation = route.operation;
  const auto may_answer = [&](int status) {
    const auto at = std::lower_bound(operation.errors.begin(), operation.errors.end(), status);
    if (at == operation.errors.end() || *at != status) {
      operation.errors.insert(at, status);
    }
  };
  if (gate == nullptr || route.permission == Permission::kOpen) {
    return operation;
  }
  if (gate->has_tokens()) {
    operation.roles = roles_with(route.permission);
    may_answer(401);
    may_answer(403);
  }
  if (gate->has_rate_limit()) {
    may_answer(429);
  }
  return operation;
}

ApiOperation get(std::string path, std::string id, std::string summary, ApiSchema answer,
                 std::vector<int> errors = {}) {
  return {.method = "GET",
          .path = std::move(path),
          .id = std::move(id),
          .summary = std::move(summary),
          .answer = answer,
          .errors = std::move(errors)};
}

/// The last one: it describes the others.
void add_openapi(RouteTable& table, const ServerOptions& options, const RouteContext& context) {
  Route self{get("/openapi.json", "openapi", "This document", ApiSchema::kOpenApi),
             Permission::kDescribe};
  std::vector<ApiOperation> operations{described(self, options.gate.get())};
  for (const Route* route : table.routes()) {
    operations.push_back(described(*route, options.gate.get()));
  }
  self.handler = [document = dump_json_pretty(openapi_document(operations, context.program_version,
                                                               options.limits.max_body_bytes))](
                     const Request&) { return json_response(document); };
  table.add(std::move(self));
}

}  // namespace

std::vector<ModelRoute> checked_model_routes(const ServerOptions& options, const Catalog& catalog) {
  const auto set = catalog.snapshot();
  std::vector<ModelRoute> routes = options.routes;
  const ModelLease digits = set->find(kDefaultModel);
  if (routes.empty() && digits && digits->contract) {
    routes.push_back({std::string(kDefaultRoute), std::string(kDefaultModel)});
  }
  for (const ModelRoute& route : routes) {
    parse_model_route(format("{}={}", route.name, route.model));
    find_image_model(*set, route);
  }
  return routes;
}

RouteTable make_routes(const ServerOptions& options, const std::vector<ModelRoute>& model_routes,
                       const RouteContext& context, const std::vector<RoutePort>& ports) {
  RouteTable table(ports);
  for (const ModelRoute& route : model_routes) {
    table.add(model_route(route, context.core, options.max_pixels), RoutePort::kInference);
  }
  table.add({get("/", "index", "A page that says what is served", ApiSchema::kHtml),
             Permission::kDescribe,
             [&context, model_routes](const Request& request) {
               return index_page(index_entries(*context.core.catalog.snapshot(), model_routes),
                                 {context.scheme, request.host, context.address},
                                 context.program_version);
             }},
            RoutePort::kInference);
  table.add({get("/health/live", "live", "The process answers", ApiSchema::kStatus),
             Permission::kOpen, [](const Request&) { return json_response(status_json("live")); }});
  table.add({get("/health/ready", "ready", "Every route can answer", ApiSchema::kStatus, {503}),
             Permission::kOpen, [&context, model_routes](const Request&) {
               check_ready(model_routes, context);
               return json_response(status_json("ready"));
             }});
  table.add({get("/api/models", "models", "What is loaded", ApiSchema::kModelList),
             Permission::kRead, [&context, model_routes](const Request&) {
               return json_response(model_list(*context.core.catalog.snapshot(), model_routes));
             }});
  table.add(
      {get("/metrics", "metrics", "Figures for Prometheus", ApiSchema::kText), Permission::kRead,
       [&context, gate = options.gate, grpc = options.grpc_connections](const Request&) {
         Response response;
         response.content_type = "text/plain; version=0.0.4; charset=utf-8";
         response.body =
             metrics_text(context.core, context.http, gate.get(), context.program_version,
                          grpc ? std::optional(grpc()) : std::nullopt);
         return response;
       }},
      RoutePort::kManagement);
  add_oip_routes(table, options, context, [&context, model_routes] {
    try {
      check_ready(model_routes, context);
      return true;
    } catch (const Error&) {
      return false;
    }
  });
  add_classify_routes(table, options, context);
  add_traffic_routes(table, context);
  if (options.tracking) {
    add_mlflow_routes(table, *options.tracking, context.program_version);
  }
  add_openapi(table, options, context);
  return table;
}

}  // namespace onnxop
