#include "onnxop/serving/catalog.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/serving/serving_plan.h"

namespace onnxop {

void ServingSet::add(std::string reference, const ModelLease& model) {
  const auto before = [](const ModelLease& a, const ModelLease& b) {
    return std::tie(a->name, a->version) < std::tie(b->name, b->version);
  };
  by_reference_[std::move(reference)] = model;
  models_.clear();
  for (const auto& [name, each] : by_reference_) {
    if (std::find(models_.begin(), models_.end(), each) == models_.end()) {
      models_.push_back(each);
    }
  }
  std::sort(models_.begin(), models_.end(), before);
}

ModelLease ServingSet::find(std::string_view reference) const {
  const auto found = by_reference_.find(reference);
  return found == by_reference_.end() ? nullptr : found->second;
}

std::shared_ptr<const ServingSet> load_serving_set(const Registry& registry,
                                                   std::span<const std::string> references,
                                                   const LoadScorer& load_scorer) {
  const auto models = registry.list_models();
  const ServingPlan plan = plan_serving(models, references);
  std::set<VersionKey> wanted;
  for (const std::string& reference : references) {
    wanted.insert(plan.references.at(reference));
  }
  std::map<VersionKey, ModelLease> loaded;
  for (const VersionKey& key : plan.load) {
    try {
      const auto version = registry.get_version(key.first, key.second);
      loaded[key] = load_served_model(source_of(registry, version), load_scorer);
    } catch (const Error& e) {
      if (wanted.contains(key)) {
        throw;
      }
      log_error("model {}:{} is not served: {}", key.first, key.second, e.what());
    }
  }
  auto set = std::make_shared<ServingSet>();
  for (const auto& [reference, key] : plan.references) {
    const auto found = loaded.find(key);
    if (found != loaded.end()) {
      set->add(reference, found->second);
    }
  }
  return set;
}

}  // namespace onnxop
