#pragma once
// A version made what an alias points to, if what is measured of it is good enough.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/registry/registry.h"

namespace onnxop {

struct PromotionRequest {
  std::string name;
  std::int64_t version = 0;
  std::string alias;
  /// "test_accuracy >= 0.99 AND latency_ms < 1"; "": none. What it names is, in this order:
  /// measured now (latency_ms: one sample, one thread; with `dataset`, test_accuracy and
  /// test_loss), a metric of the version, a metric of its run.
  std::string condition;
  std::string dataset;  // as open_dataset() takes it; "": nothing is measured on data
};

struct CheckedCondition {
  std::string text;  // "test_accuracy >= 0.99"
  std::string metric;
  std::optional<double> value;  // none: nobody has measured it
  std::string source;           // "measured now", "the version", "run 3f2a91c0"
  bool holds = false;
};

struct Promotion {
  ModelVersion version;
  std::vector<CheckedCondition> conditions;
  bool done = false;                   // all hold, and the alias is set
  std::optional<std::int64_t> before;  // what the alias pointed to
};

/// What was measured is kept as metrics of the version. Throws Error{kInvalidArgument} for a
/// condition that is none, and what measuring throws.
Promotion promote_version(Registry& registry, const PromotionRequest& request, const Clock& clock);

}  // namespace onnxop
