// The manager's part in splits and shadows: what they need is loaded before they hold.

#include <algorithm>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/serving/model_manager.h"

namespace onnxop {

void ModelManager::set_traffic(const std::string& name, TrafficPlan plan, bool or_without) {
  check_traffic_plan(plan);
  const std::lock_guard lock(work_);
  traffic_.prepare(name, plan);
  try {
    check_targets(name, plan, bring_in_line().plan, or_without);
  } catch (...) {
    traffic_.prepare(name, {});
    bring_in_line();
    throw;
  }
  log_info("model {} has a new split or shadow", name);
  traffic_.set(name, std::move(plan));
  bring_in_line();
}

void ModelManager::clear_traffic(const std::string& name) {
  const std::lock_guard lock(work_);
  if (!traffic_.clear(name)) {
    fail(ErrorCode::kNotFound, "model '{}' has neither split nor shadow", name);
  }
  log_info("model {} has neither split nor shadow any more", name);
  bring_in_line();
}

void ModelManager::check_targets(const std::string& name, const TrafficPlan& traffic,
                                 const ServingPlan& plan, bool or_without) const {
  if (std::none_of(last_found_.begin(), last_found_.end(),
                   [&](const Found& each) { return each.offer.name == name; })) {
    fail(ErrorCode::kNotFound, "model '{}' is not there", name);
  }
  const auto set = catalog_.snapshot();
  for (const std::string& reference : traffic_references(name, traffic)) {
    const auto planned = plan.references.find(reference);
    const auto problem = plan.problems.find(reference);
    const std::string_view reason = problem == plan.problems.end()
                                        ? std::string_view("it cannot be loaded")
                                        : std::string_view(problem->second);
    if (planned == plan.references.end()) {
      const bool unloaded = options_.wishes.unloaded.contains(name);
      fail(unloaded ? ErrorCode::kFailedPrecondition : ErrorCode::kInvalidArgument, "traffic: {}",
           reason);
    }
    const ModelLease loaded = set->find(reference);
    if (loaded && loaded->version == planned->second.second) {
      continue;
    }
    if (!or_without) {
      fail(ErrorCode::kFailedPrecondition, "traffic: '{}': {}", reference, reason);
    }
  }
}

}  // namespace onnxop
