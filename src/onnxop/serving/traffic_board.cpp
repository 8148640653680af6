#include "onnxop/serving/traffic_board.h"

#include "onnxop/base/log.h"

namespace onnxop {

std::set<std::string> TrafficBoard::references() const {
  std::set<std::string> references(prepared_.begin(), prepared_.end());
  for (const auto& [model, entry] : entries_) {
    for (std::string& reference : traffic_references(model, entry.traffic->plan())) {
      references.insert(std::move(reference));
    }
  }
  return references;
}

void TrafficBoard::prepare(const std::string& model, const TrafficPlan& plan) {
  prepared_ = traffic_references(model, plan);
}

void TrafficBoard::set(const std::string& model, TrafficPlan plan) {
  prepared_.clear();
  const auto counters_of = [&](const std::string& target) {
    auto& counters = counters_[{model, target}];
    counters = counters ? counters : std::make_shared<TargetCounters>();
    return counters;
  };
  entries_[model] = {std::make_shared<ModelTraffic>(model, std::move(plan), counters_of), {}};
}

bool TrafficBoard::clear(const std::string& model) {
  return entries_.erase(model) > 0;
}

void TrafficBoard::attach(ServingSet& set) {
  for (auto& [model, entry] : entries_) {
    set.set_traffic(model, entry.traffic);
    std::set<std::string> missing;
    for (const std::string& reference : traffic_references(model, entry.traffic->plan())) {
      if (!set.find(reference)) {
        missing.insert(reference);
      }
    }
    for (const std::string& reference : missing) {
      if (!entry.missing.contains(reference)) {
        log_warning("'{}' is not loaded: its share of the traffic goes to the others", reference);
      }
    }
    for (const std::string& reference : entry.missing) {
      if (!missing.contains(reference)) {
        log_info("'{}' is loaded again, and takes its share of the traffic", reference);
      }
    }
    entry.missing = std::move(missing);
  }
}

}  // namespace onnxop
