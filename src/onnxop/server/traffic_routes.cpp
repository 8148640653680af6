#include "onnxop/server/traffic_routes.h"

#include <algorithm>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/serving/model_traffic.h"
#include "onnxop/wire/traffic_json.h"

namespace onnxop {
namespace {

constexpr std::string_view kPath = "/api/models/{model}/traffic";

TrafficPlan plan_of(const TrafficRequest& request) {
  TrafficPlan plan;
  for (const auto& [target, weight] : request.split) {
    plan.split.push_back({target, weight});
  }
  if (request.shadow) {
    plan.shadow = ShadowRule{request.shadow->target, request.shadow->percent.value_or(100)};
  }
  if (request.rollback) {
    const RollbackLimits otherwise;
    plan.rollback = {request.rollback->max_error_rate, request.rollback->max_disagreement,
                     request.rollback->min_requests.value_or(otherwise.min_requests),
                     request.rollback->compare_percent.value_or(otherwise.compare_percent)};
  }
  return plan;
}

TrafficRequest request_of(const TrafficPlan& plan) {
  TrafficRequest request;
  for (const SplitTarget& target : plan.split) {
    request.split.emplace_back(target.name, target.weight);
  }
  if (plan.shadow) {
    request.shadow = {plan.shadow->target, plan.shadow->percent};
  }
  if (plan.rollback.max_error_rate || plan.rollback.max_disagreement) {
    request.rollback = {plan.rollback.max_error_rate, plan.rollback.max_disagreement,
                        plan.rollback.min_requests, plan.rollback.compare_percent};
  }
  return request;
}

TrafficReport::Comparisons report_of(const ComparisonCounters& counters) {
  const ComparisonCounters::Values values = counters.values();
  return {values.requests, values.dropped,   values.failed,
          values.agreed,   values.disagreed, {values.largest.begin(), values.largest.end()}};
}

std::optional<std::int64_t> version_of(const ModelLease& model) {
  return model ? std::optional(model->version) : std::nullopt;
}

TrafficReport report_of(const RoutedTraffic& routed) {
  const ModelTraffic& traffic = *routed.traffic;
  TrafficReport report;
  report.model = traffic.model();
  report.plan = request_of(traffic.plan());
  const std::vector<double> shares =
      shares_of(traffic.plan().split, routed.loaded & ~traffic.out());
  for (std::size_t i = 0; i < routed.targets.size(); ++i) {
    const TargetCounters& counters = traffic.counters(i);
    report.targets.push_back({traffic.plan().split[i].name,
                              version_of(routed.targets[i]),
                              shares[i],
                              counters.requests,
                              {}});
    if (i > 0 && traffic.plan().rollback.max_disagreement) {
      report.targets.back().comparisons = report_of(counters.canary);
    }
  }
  if (traffic.plan().shadow) {
    report.shadow = {version_of(routed.shadow), report_of(traffic.shadow_counters().shadow)};
  }
  if (const auto rollback = traffic.rollback()) {
    const CanaryFigures& figures = rollback->figures;
    report.rolled_back = {rollback->target, rollback->reason,    figures.requests,
                          figures.faults,   figures.comparisons, figures.disagreements};
  }
  return report;
}

Response traffic_of(const ServingCore& core, const std::string& model) {
  const auto set = core.catalog.snapshot();
  const ServingSet::Answering* answering = set->answering(model);
  if (answering == nullptr || model.find_first_of("@:") != std::string::npos) {
    fail(ErrorCode::kNotFound, "model '{}' is not served", model);
  }
  TrafficReport none;
  none.model = model;
  Response response;
  response.body = traffic_report_json(answering->traffic ? report_of(*answering->traffic) : none);
  return response;
}

std::string_view text_of(const Request& request) {
  const auto body = request.content();
  return {reinterpret_cast<const char*>(body.data()), body.size()};
}

ApiOperation operation(std::string method, std::string id, std::string summary,
                       std::vector<int> errors) {
  return {.method = std::move(method),
          .path = std::string(kPath),
          .id = std::move(id),
          .summary = std::move(summary),
          .answer = ApiSchema::kTraffic,
          .errors = std::move(errors)};
}

}  // namespace

void add_traffic_routes(RouteTable& table, const RouteContext& context) {
  const ServingCore core = context.core;
  table.add(
      {operation("GET", "traffic", "Split, shadow and rollback of a model, and how they do", {404}),
       Permission::kRead,
       [core](const Request& request) { return traffic_of(core, request.path_values.at(0)); }},
      RoutePort::kManagement);
  const auto add_change = [&](ApiOperation described, auto change) {
    table.add({.operation = std::move(described),
               .permission = Permission::kManage,
               .handler =
                   [core, change](const Request& request) {
                     const std::string& model = request.path_values.at(0);
                     change(manager_of(core), model, request);
                     return traffic_of(core, model);
                   },
               .lane = Lane::kControl},
              RoutePort::kManagement);
  };
  ApiOperation put =
      operation("PUT", "setTraffic", "Split and shadow a model's requests, from now on",
                {400, 404, 409, 413, 415, 503});
  put.body = ApiBody::kTraffic;
  add_change(std::move(put),
             [](ModelManager& manager, const std::string& model, const Request& request) {
               manager.set_traffic(model, plan_of(parse_traffic_request(text_of(request))));
             });
  add_change(operation("DELETE", "clearTraffic",
                       "The model's name alone means again what it always does", {404, 415, 503}),
             [](ModelManager& manager, const std::string& model, const Request&) {
               manager.clear_traffic(model);
             });
}

CallerOf caller_of(const ServingCore& core, const Request& request) {
  return [&core, &request] {
    return core.sticky_header.empty() ? std::string_view() : request.field(core.sticky_header);
  };
}

}  // namespace onnxop
