#pragma once
// The splits and shadows of all models, as the manager keeps them. One thread at a time.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/serving/catalog.h"
#include "onnxop/serving/model_traffic.h"

namespace onnxop {

class TrafficBoard {
 public:
  /// What has to be loaded for all of it, "mnist@champion": also for what is only prepared.
  std::set<std::string> references() const;

  /// A plan whose targets are loaded, but that takes no traffic yet; an empty one takes that back.
  void prepare(const std::string& model, const TrafficPlan& plan);

  /// From now on, with nothing counted for the rollback yet.
  void set(const std::string& model, TrafficPlan plan);
  /// False: it had none.
  bool clear(const std::string& model);

  /// Gives the set, which has its models, the traffic of each; targets that are no longer loaded or
  /// are so again are logged.
  void attach(ServingSet& set);

 private:
  struct Entry {
    std::shared_ptr<ModelTraffic> traffic;
    std::set<std::string> missing;  // targets that were not loaded at the last time
  };

  std::map<std::string, Entry> entries_;
  std::vector<std::string> prepared_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<TargetCounters>> counters_;
};

}  // namespace onnxop
