#pragma once
// Deciding which versions should be live: a pure function of what there is and what is wanted.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/serving/model_provider.h"

namespace onnxop {

using VersionKey = std::pair<std::string, std::int64_t>;  // model name, version

struct ServingWishes {
  VersionPolicy policy = {};                           // of models that say nothing themselves
  std::map<std::string, VersionPolicy> policies = {};  // by model: before its own configuration
  std::set<std::string> references = {};  // "mnist@champion", "mnist:3": loaded besides
  std::set<std::string> unloaded = {};    // models that are not served at all
};

struct ServingPlan {
  std::set<VersionKey> load;
  /// Which version answers for "name", "name@alias", "name:3".
  std::map<std::string, VersionKey, std::less<>> references;
  std::map<std::string, std::string> problems;   // references that cannot be met, and why
  std::map<VersionKey, std::string> not_chosen;  // versions that are there, and why they wait
};

/// Of each model the versions that its policy names, and those that aliases and references point
/// to. Versions that are broken or not settled are as if they were not there, so that "name" is the
/// largest good one; but an alias of a broken version is in `references`, so that what answered to
/// it before can go on. Nothing is thrown: what cannot be met is a problem.
ServingPlan plan_serving(std::span<const ModelOffer> offers, const ServingWishes& wishes);

/// "latest", "latest:2", "all", "1,3". Throws Error{kInvalidArgument} that says these.
VersionPolicy parse_version_policy(std::string_view text);

}  // namespace onnxop
