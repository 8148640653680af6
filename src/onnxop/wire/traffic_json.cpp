#include "onnxop/wire/traffic_json.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/nearest.h"
#include "onnxop/wire/json_reading.h"

namespace onnxop {
namespace {

constexpr std::size_t kDeepest = 8;

/// No key twice, and none but those; empty: any.
void check_keys(const JsonObject& object, std::string_view what,
                std::span<const std::string_view> known) {
  std::set<std::string_view> seen;
  for (const auto& field : object) {
    if (!seen.insert(field.key).second) {
      fail(ErrorCode::kInvalidArgument, "{}: '{}' is given twice", what, shown(field.key));
    }
    if (!known.empty() && std::find(known.begin(), known.end(), field.key) == known.end()) {
      const auto nearest = nearest_word(field.key, known);
      fail(ErrorCode::kInvalidArgument, "{}: '{}' is not known{}; expected: {}", what,
           shown(field.key), nearest ? format(", did you mean '{}'?", *nearest) : "",
           join(known, ", "));
    }
  }
}

std::optional<double> number_in(const JsonObject& object, std::string_view key) {
  const auto value = find_member(object, key);
  return value ? std::optional(as_number(*value, key)) : std::nullopt;
}

TrafficRequest::Shadow read_shadow(const JsonElement& value) {
  constexpr std::string_view kKeys[] = {"target", "percent"};
  const JsonObject object = as_object(value, "shadow");
  check_keys(object, "shadow", kKeys);
  const auto target = find_member(object, "target");
  if (!target) {
    fail(ErrorCode::kInvalidArgument, "shadow: expected a target");
  }
  return {std::string(as_text(*target, "shadow: target")), number_in(object, "percent")};
}

TrafficRequest::Rollback read_rollback(const JsonElement& value) {
  constexpr std::string_view kKeys[] = {"max_error_rate", "max_disagreement", "min_requests",
                                        "compare_percent"};
  const JsonObject object = as_object(value, "rollback");
  check_keys(object, "rollback", kKeys);
  TrafficRequest::Rollback rollback{number_in(object, "max_error_rate"),
                                    number_in(object, "max_disagreement"),
                                    {},
                                    number_in(object, "compare_percent")};
  if (const auto requests = find_member(object, "min_requests")) {
    rollback.min_requests = as_integer(*requests, "min_requests");
  }
  if (!rollback.max_error_rate && !rollback.max_disagreement) {
    fail(ErrorCode::kInvalidArgument,
         "rollback: got no limit, expected max_error_rate or max_disagreement");
  }
  return rollback;
}

Json or_null(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json split_json(const TrafficRequest& plan) {
  if (plan.split.empty()) {
    return nullptr;
  }
  Json split = Json::object();
  for (const auto& [target, weight] : plan.split) {
    split[target] = weight;
  }
  return split;
}

Json rollback_json(const TrafficRequest& plan) {
  if (!plan.rollback) {
    return nullptr;
  }
  Json rollback = Json::object();
  const TrafficRequest::Rollback& limits = *plan.rollback;
  if (limits.max_error_rate) {
    rollback["max_error_rate"] = *limits.max_error_rate;
  }
  if (limits.max_disagreement) {
    rollback["max_disagreement"] = *limits.max_disagreement;
  }
  if (limits.min_requests) {
    rollback["min_requests"] = *limits.min_requests;
  }
  if (limits.compare_percent) {
    rollback["compare_percent"] = *limits.compare_percent;
  }
  return rollback;
}

Json comparisons_json(const TrafficReport::Comparisons& comparisons) {
  Json largest = Json::object();
  for (const auto& [output, difference] : comparisons.largest_difference) {
    largest[output] = or_null(difference);
  }
  return {{"requests", comparisons.requests},   {"dropped", comparisons.dropped},
          {"failed", comparisons.failed},       {"agreed", comparisons.agreed},
          {"disagreed", comparisons.disagreed}, {"largest_difference", std::move(largest)}};
}

Json version_json(const std::optional<std::int64_t>& version) {
  return version ? Json(*version) : Json(nullptr);
}

Json rolled_back_json(const TrafficReport::RolledBack& rollback) {
  return {{"target", rollback.target},
          {"reason", rollback.reason},
          {"figures",
           {{"requests", rollback.requests},
            {"faults", rollback.faults},
            {"comparisons", rollback.comparisons},
            {"disagreements", rollback.disagreements}}}};
}

}  // namespace

TrafficRequest parse_traffic_request(std::string_view json) {
  constexpr std::string_view kKeys[] = {"split", "shadow", "rollback"};
  const JsonDocument document(json, kDeepest);
  const JsonObject root = as_object(document.root(), "the body");
  check_keys(root, "the body", kKeys);
  TrafficRequest request;
  if (const auto split = find_member(root, "split")) {
    const JsonObject weights = as_object(*split, "split");
    check_keys(weights, "split", {});
    for (const auto& field : weights) {
      request.split.emplace_back(
          field.key, as_integer(field.value, format("the weight of '{}'", shown(field.key))));
    }
  }
  if (const auto shadow = find_member(root, "shadow")) {
    request.shadow = read_shadow(*shadow);
  }
  if (const auto rollback = find_member(root, "rollback")) {
    request.rollback = read_rollback(*rollback);
  }
  return request;
}

std::string traffic_report_json(const TrafficReport& report) {
  Json json{{"model", report.model}, {"split", split_json(report.plan)}, {"shadow", nullptr}};
  if (report.plan.shadow) {
    json["shadow"] = {{"target", report.plan.shadow->target},
                      {"percent", or_null(report.plan.shadow->percent)}};
  }
  json["rollback"] = rollback_json(report.plan);
  json["targets"] = Json::array();
  for (const TrafficReport::Target& target : report.targets) {
    Json one{{"target", target.name},
             {"version", version_json(target.version)},
             {"share", target.share},
             {"requests", target.requests}};
    if (target.comparisons) {
      one["comparisons"] = comparisons_json(*target.comparisons);
    }
    json["targets"].push_back(std::move(one));
  }
  json["shadowed"] = nullptr;
  if (report.shadow) {
    json["shadowed"] = comparisons_json(report.shadow->comparisons);
    json["shadowed"]["version"] = version_json(report.shadow->version);
  }
  json["rolled_back"] = report.rolled_back ? rolled_back_json(*report.rolled_back) : Json(nullptr);
  return dump_json(json);
}

}  // namespace onnxop
