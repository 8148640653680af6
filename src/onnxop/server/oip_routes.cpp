#include "onnxop/server/oip_routes.h"

#include <algorithm>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/json.h"
#include "onnxop/base/json_value.h"
#include "onnxop/server/model_reports.h"
#include "onnxop/server/tensor_answer.h"
#include "onnxop/server/traffic_routes.h"
#include "onnxop/wire/oip_request.h"

namespace onnxop {
namespace {

Response json_response(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

/// The model that path and query name.
ModelLease named_model(const ServingCore& core, const Request& request) {
  return resolve_model(*core.catalog.snapshot(), request.path_values.at(0), named_version(request));
}

ApiOperation operation(std::string method, std::string path, std::string id, std::string summary,
                       ApiSchema answer, std::vector<int> errors = {}) {
  return {.method = std::move(method),
          .path = std::move(path),
          .id = std::move(id),
          .summary = std::move(summary),
          .answer = answer,
          .errors = std::move(errors)};
}

/// Adds the route for the model alone and for one of its versions.
void add_for_model(RouteTable& table, const ApiOperation& of_model, const Route& route,
                   RoutePort port = RoutePort::kAny) {
  Route both = route;
  both.operation = of_model;
  table.add(both, port);
  constexpr std::string_view kModel = "/v2/models/{model}";
  both.operation.path.insert(kModel.size(), "/versions/{version}");
  both.operation.id += "Version";
  table.add(both, port);
}

std::unique_ptr<PendingAnswer> infer(const ServingCore& core, const InferLimits& limits,
                                     Request& request) {
  AssignedModel assigned = assign_model(core, request.path_values.at(0), named_version(request),
                                        caller_of(core, request));
  const std::span<std::byte> body = request.content();
  const std::string_view header = request.field("inference-header-content-length");
  if (header.empty()) {
    return infer_tensors(parse_infer_request(body, std::nullopt, limits), std::move(assigned),
                         core.scheduler);
  }
  const std::uint64_t length = parse_header_length(header, body.size());
  InferRequest parsed = length == 0 ? parse_raw_request(body, assigned.model->scorer->inputs())
                                    : parse_infer_request(body, length, limits);
  return infer_tensors(std::move(parsed), std::move(assigned), core.scheduler);
}

void add_health(RouteTable& table, const RouteContext& context, std::function<bool()> ready) {
  table.add(
      {operation("GET", "/v2", "serverMetadata", "Name, version and extensions", ApiSchema::kJson),
       Permission::kDescribe, [&context](const Request&) {
         return json_response(server_metadata_json(context.program_version));
       }});
  table.add(
      {operation("GET", "/v2/health/live", "serverLive", "The process answers", ApiSchema::kJson),
       Permission::kOpen,
       [ready](const Request&) { return json_response(health_json(true, ready())); }});
  table.add({operation("GET", "/v2/health/ready", "serverReady", "Inferences are answered",
                       ApiSchema::kJson, {503}),
             Permission::kOpen, [ready](const Request&) {
               const bool is_ready = ready();
               return json_response(health_json(true, is_ready), is_ready ? 200 : 503);
             }});
}

void add_models(RouteTable& table, const RouteContext& context, const InferLimits& limits) {
  const ServingCore core = context.core;
  table.add(
      {operation("GET", "/v2/models", "listModels", "Which models are served", ApiSchema::kJson),
       Permission::kRead, [core](const Request&) {
         Json names = Json::array();
         for (const ModelLease& model : core.catalog.snapshot()->models()) {
           if (names.empty() || names.back()["name"] != model->name) {
             names.push_back({{"name", model->name}, {"versions", Json::array()}});
           }
           names.back()["versions"].push_back(format("{}", model->version));
         }
         return json_response(dump_json(Json{{"models", names}}));
       }});
  add_for_model(table,
                operation("GET", "/v2/models/{model}", "modelMetadata", "Inputs and outputs",
                          ApiSchema::kJson, {400, 404}),
                {.operation = {},
                 .permission = Permission::kDescribe,
                 .handler = [core](const Request& request) {
                   const auto set = core.catalog.snapshot();
                   return json_response(
                       model_metadata_json(describe_served(*named_model(core, request), *set)));
                 }});
  add_for_model(table,
                operation("GET", "/v2/models/{model}/ready", "modelReady", "It is served",
                          ApiSchema::kJson, {400, 404}),
                {.operation = {},
                 .permission = Permission::kDescribe,
                 .handler = [core](const Request& request) {
                   return json_response(model_ready_json(named_model(core, request)->name, true));
                 }});
  add_for_model(
      table,
      operation("GET", "/v2/models/{model}/config", "modelConfig",
                "Its configuration, as Triton's clients read it", ApiSchema::kJson, {400, 404}),
      {.operation = {},
       .permission = Permission::kDescribe,
       .handler = [core](const Request& request) {
         const ModelLease model = named_model(core, request);
         return json_response(model_config_json(describe_served(*model, *core.catalog.snapshot()),
                                                config_of(*model, core)));
       }});
  add_for_model(
      table,
      operation("GET", "/v2/models/{model}/stats", "modelStatistics",
                "Counts and times since its load", ApiSchema::kJson, {400, 404}),
      {.operation = {}, .permission = Permission::kRead, .handler = [core](const Request& request) {
         const OipStatistics statistics[] = {statistics_of(*named_model(core, request))};
         return json_response(statistics_json(statistics));
       }});
  table.add({operation("GET", "/v2/models/stats", "allStatistics", "Counts and times of all models",
                       ApiSchema::kJson),
             Permission::kRead, [core](const Request&) {
               std::vector<OipStatistics> statistics;
               for (const ModelLease& model : core.catalog.snapshot()->models()) {
                 statistics.push_back(statistics_of(*model));
               }
               return json_response(statistics_json(statistics));
             }});
  ApiOperation inference =
      operation("POST", "/v2/models/{model}/infer", "infer", "An inference", ApiSchema::kInference,
                {400, 404, 408, 413, 415, 429, 500, 503, 504});
  inference.body = ApiBody::kInference;
  add_for_model(
      table, inference,
      {.operation = {},
       .permission = Permission::kInfer,
       .pending = [core, limits](Request& request) { return infer(core, limits, request); }},
      RoutePort::kInference);
}

/// {"ready": true} in the body leaves out what is not.
bool only_ready(const Request& request) {
  const auto body = request.content();
  if (body.empty()) {
    return false;
  }
  const Json json = parse_json(
      std::string_view(reinterpret_cast<const char*>(body.data()), body.size()), "the body");
  if (!json.is_object() || (json.contains("ready") && !json["ready"].is_boolean())) {
    fail(ErrorCode::kInvalidArgument, "the body: expected an object like {{\"ready\": true}}");
  }
  return json.value("ready", false);
}

void add_repository(RouteTable& table, const RouteContext& context) {
  const ServingCore core = context.core;
  ApiOperation index = operation("POST", "/v2/repository/index", "repositoryIndex",
                                 "All versions that there are, and why some are not served",
                                 ApiSchema::kJson, {400});
  index.body = ApiBody::kOptionalJson;
  table.add({index, Permission::kRead,
             [core](const Request& request) {
               std::vector<IndexedVersion> versions = index_of(core);
               if (only_ready(request)) {
                 std::erase_if(versions,
                               [](const IndexedVersion& each) { return each.state != "READY"; });
               }
               return json_response(repository_index_json(versions));
             }},
            RoutePort::kManagement);
  const auto add = [&](std::string verb, std::string id, std::string summary, auto change) {
    ApiOperation described =
        operation("POST", "/v2/repository/models/{model}/" + verb, std::move(id),
                  std::move(summary), ApiSchema::kJson, {404, 409, 415, 503});
    described.body = ApiBody::kOptionalJson;
    table.add({.operation = std::move(described),
               .permission = Permission::kManage,
               .handler =
                   [core, change](const Request& request) {
                     change(manager_of(core), request.path_values.at(0));
                     return json_response("{}");
                   },
               .lane = Lane::kControl},
              RoutePort::kManagement);
  };
  add("load", "loadModel", "Serve it, from now on, with what there is of it",
      [](ModelManager& manager, const std::string& name) { manager.load(name); });
  add("unload", "unloadModel", "Serve it no more, until it is loaded",
      [](ModelManager& manager, const std::string& name) { manager.unload(name); });
}

}  // namespace

void add_oip_routes(RouteTable& table, const ServerOptions& options, const RouteContext& context,
                    std::function<bool()> ready) {
  add_health(table, context, std::move(ready));
  add_models(table, context, options.infer);
  add_repository(table, context);
}

}  // namespace onnxop
