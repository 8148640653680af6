#include "onnxop/serving/catalog.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "onnxop/serving/model_traffic.h"

namespace onnxop {

void ServingSet::add(std::string reference, const ModelLease& model) {
  ModelLease& place = by_reference_[std::move(reference)].model;
  const bool replaced = place != nullptr;
  place = model;
  if (replaced) {
    models_.clear();
    for (const auto& [name, each] : by_reference_) {
      if (each.model) {
        list(each.model);
      }
    }
  } else {
    list(model);
  }
}

void ServingSet::list(const ModelLease& model) {
  const auto before = [](const ModelLease& a, const ModelLease& b) {
    return std::tie(a->name, a->version) < std::tie(b->name, b->version);
  };
  const auto [first, last] = std::equal_range(models_.begin(), models_.end(), model, before);
  if (std::find(first, last, model) == last) {
    models_.insert(last, model);
  }
}

void ServingSet::set_traffic(const std::string& name, std::shared_ptr<ModelTraffic> traffic) {
  auto routed = std::make_shared<RoutedTraffic>();
  const TrafficPlan& plan = traffic->plan();
  for (const SplitTarget& target : plan.split) {
    const ModelLease model = find(target_reference(name, target.name));
    routed->loaded |= (model ? 1U : 0U) << routed->targets.size();
    routed->targets.push_back(model);
  }
  if (plan.shadow) {
    routed->shadow = find(target_reference(name, plan.shadow->target));
  }
  routed->traffic = std::move(traffic);
  traffic_.push_back(routed);
  by_reference_[name].traffic = std::move(routed);
}

ModelLease ServingSet::find(std::string_view reference) const {
  const Answering* found = answering(reference);
  return found == nullptr ? nullptr : found->model;
}

const ServingSet::Answering* ServingSet::answering(std::string_view reference) const {
  const auto found = by_reference_.find(reference);
  return found == by_reference_.end() ? nullptr : &found->second;
}

}  // namespace onnxop
