#pragma once
// The options of `serve` about splits and shadows.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "onnxop/serving/serving_core.h"

namespace onnxop {

struct TrafficOptions {
  std::vector<std::string> splits;   // "mnist=champion:90,challenger:10"
  std::vector<std::string> shadows;  // "mnist=challenger", "mnist=challenger:25"
  std::string sticky_header{kStickyHeader};
};

void declare_traffic_options(CLI::App& command, TrafficOptions& options);

/// By model. Throws Error{kInvalidArgument} for texts that are not of that form, a model with two
/// splits or two shadows, and plans that make no sense.
std::map<std::string, TrafficPlan> traffic_plans(const TrafficOptions& options);

/// The header's name as it is compared. Throws Error{kInvalidArgument} for one that cannot be.
std::string sticky_header_of(const TrafficOptions& options);

/// Before anything is served: loads what the plans need. Throws for targets that are not there;
/// those that cannot be loaded are left out, which is logged.
void begin_traffic(ModelManager& manager, const std::map<std::string, TrafficPlan>& plans);

}  // namespace onnxop
