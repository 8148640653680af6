#include "onnxop/workflow/promote_model.h"

#include <algorithm>
#include <map>

#include "onnxop/base/format.h"
#include "onnxop/registry/filter.h"
#include "onnxop/registry/search_grammar.h"
#include "onnxop/workflow/evaluate_model.h"
#include "onnxop/workflow/load_model.h"
#include "onnxop/workflow/measure_latency.h"

namespace onnxop {
namespace {

constexpr std::string_view kLatency = "latency_ms";
constexpr std::string_view kAccuracy = "test_accuracy";
constexpr std::string_view kLoss = "test_loss";

bool names(const std::vector<FilterClause>& clauses, std::string_view metric) {
  return std::ranges::any_of(clauses,
                             [&](const FilterClause& clause) { return clause.key == metric; });
}

std::map<std::string, double> measure(const Registry& registry, const PromotionRequest& request,
                                      const std::vector<FilterClause>& clauses,
                                      const Clock& clock) {
  const bool latency = names(clauses, kLatency);
  const bool on_data =
      !request.dataset.empty() && (names(clauses, kAccuracy) || names(clauses, kLoss));
  std::map<std::string, double> measured;
  if (!latency && !on_data) {
    return measured;
  }
  const ModelLease model =
      load_model(format("{}:{}", request.name, request.version), registry.location());
  if (latency) {
    measured[std::string(kLatency)] = measure_latency_ms(*model->scorer, clock);
  }
  if (on_data) {
    const Evaluation evaluation = evaluate_model(*model, request.dataset);
    measured[std::string(kLoss)] = evaluation.loss;
    if (evaluation.accuracy) {
      measured[std::string(kAccuracy)] = *evaluation.accuracy;
    }
  }
  return measured;
}

bool holds(double value, const FilterClause& clause) {
  switch (clause.comparator) {
    case Comparator::kEqual:
      return value == clause.number;
    case Comparator::kNotEqual:
      return value != clause.number;
    case Comparator::kLess:
      return value < clause.number;
    case Comparator::kLessEqual:
      return value <= clause.number;
    case Comparator::kGreater:
      return value > clause.number;
    case Comparator::kGreaterEqual:
      return value >= clause.number;
    default:
      return false;
  }
}

// The run that made the version; none where it was imported, or the run is gone.
std::optional<Run> find_run(const Registry& registry, const ModelVersion& version) {
  if (version.run_id.empty()) {
    return std::nullopt;
  }
  try {
    return registry.runs().get(version.run_id);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
    return std::nullopt;
  }
}

CheckedCondition check(const FilterClause& clause, const std::map<std::string, double>& measured,
                       const ModelVersion& version, const std::optional<Run>& run) {
  CheckedCondition checked{
      .text = format("{} {} {}", clause.key, comparator_text(clause.comparator), clause.number),
      .metric = clause.key,
      .value = {},
      .source = {}};
  if (const auto at = measured.find(clause.key); at != measured.end()) {
    checked.value = at->second;
    checked.source = "measured now";
  } else if (const auto of_version = version.metrics.find(clause.key);
             of_version != version.metrics.end()) {
    checked.value = of_version->second;
    checked.source = "the version";
  } else if (run && run->metrics.contains(clause.key)) {
    checked.value = run->metrics.at(clause.key).value;
    checked.source = "run " + run->run_id.substr(0, 8);
  }
  checked.holds = checked.value && holds(*checked.value, clause);
  return checked;
}

std::optional<std::int64_t> alias_target(const Registry& registry,
                                         const PromotionRequest& request) {
  const auto aliases = registry.models().get(request.name).aliases;
  const auto at = aliases.find(request.alias);
  return at == aliases.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace

Promotion promote_version(Registry& registry, const PromotionRequest& request, const Clock& clock) {
  const auto clauses = parse_filter(request.condition, measurement_grammar(), "condition");
  Promotion promotion;
  promotion.version = registry.models().version(request.name, request.version);
  const auto measured = measure(registry, request, clauses, clock);
  if (!measured.empty()) {
    registry.models().log_version_metrics(request.name, request.version, measured);
  }
  const auto run = find_run(registry, promotion.version);
  for (const FilterClause& clause : clauses) {
    promotion.conditions.push_back(check(clause, measured, promotion.version, run));
  }
  promotion.before = alias_target(registry, request);
  if (std::ranges::all_of(promotion.conditions, &CheckedCondition::holds)) {
    registry.models().set_alias(request.name, request.alias, request.version);
    promotion.done = true;
    promotion.version = registry.models().version(request.name, request.version);
  }
  return promotion;
}

}  // namespace onnxop
