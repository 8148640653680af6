#include "onnxop/serving/catalog.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace onnxop {

void ServingSet::add(std::string reference, const ModelLease& model) {
  ModelLease& place = by_reference_[std::move(reference)];
  const bool replaced = place != nullptr;
  place = model;
  if (replaced) {
    models_.clear();
    for (const auto& [name, each] : by_reference_) {
      list(each);
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

ModelLease ServingSet::find(std::string_view reference) const {
  const auto found = by_reference_.find(reference);
  return found == by_reference_.end() ? nullptr : found->second;
}

}  // namespace onnxop
