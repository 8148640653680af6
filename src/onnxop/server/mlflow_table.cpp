#include "onnxop/server/mlflow_table.h"

#include <array>
#include <utility>

#include "onnxop/base/error.h"

namespace onnxop {

const MlflowFields& MlflowCall::fields() {
  if (!fields_) {
    auto query = request_.method == "GET" || request_.method == "HEAD"
                     ? query_fields(request_.target)
                     : MlflowFields::Query();
    fields_ = query.empty() ? MlflowFields(body()) : MlflowFields(std::move(query));
  }
  return *fields_;
}

std::string_view MlflowCall::body() const {
  constexpr std::string_view kJson = "application/json";
  const auto content = request_.content();
  const std::string_view type = request_.field("content-type");
  // A page of another origin can send other types without asking first.
  if (!content.empty() && type.substr(0, type.find_first_of("; ")) != kJson) {
    fail(ErrorCode::kInvalidArgument, "Bad Request. Content-Type: got '{}', expected {}",
         type.substr(0, 100), kJson);
  }
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

Response MlflowTable::with_registry(const TrackingOptions& options, const Request& request,
                                    const std::function<Response(Registry&)>& use) {
  const auto registry = options.registries->take(request.actor);
  return use(*registry);
}

void MlflowTable::add(const MlflowOperation& operation, MlflowHandler handler) {
  constexpr std::array<std::string_view, 4> kPrefixes{
      "/api/2.0/mlflow/", "/api/3.0/mlflow/", "/ajax-api/2.0/mlflow/", "/ajax-api/3.0/mlflow/"};
  for (const std::string_view prefix : kPrefixes) {
    Route route{
        .operation = {.method = operation.method,
                      .id = operation.id,
                      .summary = operation.summary,
                      .body = operation.method == "GET" ? ApiBody::kNone : ApiBody::kOptionalJson,
                      .answer = ApiSchema::kJson,
                      .errors = {400, 403, 404, 413, 500, 501, 503}},
        .permission = operation.permission,
        .handler =
            [&options = options_, handler](const Request& request) {
              return with_registry(options, request, [&](Registry& registry) {
                MlflowCall call(registry, request);
                Response response;
                response.body = handler(call);
                return response;
              });
            },
        .lane = operation.lane.value_or(
            operation.permission == Permission::kRead ? Lane::kTracking : Lane::kTrackingWrites)};
    add_at(format("{}{}", prefix, operation.path), std::move(route), prefix == kPrefixes.front());
  }
}

void MlflowTable::add_route(std::string_view path, Route route) {
  add_at(format("/api/2.0{}", path), route, true);
  add_at(format("/ajax-api/2.0{}", path), std::move(route), false);
}

void MlflowTable::add_at(const std::string& path, Route route, bool described) {
  route.operation.path = path;
  route.operation.tag = "MLflow";
  route.operation.described = described;
  route.encodes = false;
  route.own_hosts = true;
  table_.add(std::move(route), RoutePort::kTracking);
}

}  // namespace onnxop
