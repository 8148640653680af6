#pragma once
// Deciding which versions should be live: a pure function of what the store holds.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/registry/registry.h"

namespace onnxop {

using VersionKey = std::pair<std::string, std::int64_t>;  // model name, version

struct ServingPlan {
  std::vector<VersionKey> load;  // sorted, each once
  /// Which version answers for "name", "name@alias", "name:3".
  std::map<std::string, VersionKey, std::less<>> references;
};

/// The latest version of each model, under its name, and what `references` name besides. Throws
/// Error{kNotFound} for a reference to a model or alias that is not there, with what is;
/// Error{kInvalidArgument} for one that is none.
ServingPlan plan_serving(std::span<const RegisteredModel> models,
                         std::span<const std::string> references);

}  // namespace onnxop
