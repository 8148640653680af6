#pragma once
// Which version answers a request that names a model alone, whether another one is asked too, and
// when a canary has to go: pure functions of a plan, of counters and of figures.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/base/error.h"

namespace onnxop {

inline constexpr std::size_t kMostTargets = 16;  // of a split
inline constexpr std::int64_t kMostWeight = 1'000'000;
inline constexpr std::int64_t kMostWindow = 100'000;  // requests that a rollback may look back on

struct SplitTarget {
  std::string name;         // an alias, "champion", or a version's number, "3"
  std::int64_t weight = 0;  // its part of the sum of all; 0 to kMostWeight
};

struct ShadowRule {
  std::string target;    // as SplitTarget::name
  double percent = 100;  // of the requests, 0 to 100
};

/// Without either limit nothing is rolled back.
struct RollbackLimits {
  std::optional<double> max_error_rate = {};    // of the canary's requests, 0 to 1
  std::optional<double> max_disagreement = {};  // of comparisons with the primary, 0 to 1
  /// Nothing is judged before so many have come, and then the latest so many are; 1 to kMostWindow.
  std::int64_t min_requests = 100;
  /// Of a canary's requests, those that the primary is asked too where max_disagreement is set; 0
  /// to 100.
  double compare_percent = 100;
};

struct TrafficPlan {
  /// The first is the primary, the others are canaries; empty: the model's name alone means what it
  /// always does.
  std::vector<SplitTarget> split = {};
  std::optional<ShadowRule> shadow = {};
  RollbackLimits rollback = {};
};

/// Throws Error{kInvalidArgument} for a plan that says nothing, values beyond the limits above,
/// targets that are no names or given twice, a sum of weights of 0, and a rollback without canary.
void check_traffic_plan(const TrafficPlan& plan);

/// "mnist:3" for the target "3", "mnist@champion" for others.
std::string target_reference(std::string_view model, std::string_view target);

/// What has to be loaded for the plan.
std::vector<std::string> traffic_references(std::string_view model, const TrafficPlan& plan);

/// Of a model and a caller, on every machine the same.
std::uint64_t sticky_key(std::string_view model, std::string_view caller);

/// Bit i: the target at i.
using TargetSet = std::uint32_t;

/// Which target answers; only those in `open` do, and the weights of the others count as 0. None:
/// nobody is left. Where the weights of those left are all 0, the first of them.
///
/// With a key: highest random weight (rendezvous hashing; Thaler and Ravishankar, 1998), so that a
/// target that gains takes callers from the others, one that loses gives some to them, and nobody
/// else moves. Without: the one whose turn it is at `counter`, evenly spread; any W requests in a
/// row, W the sum of the weights, give each target exactly its weight.
std::optional<std::size_t> choose(std::span<const SplitTarget> split, TargetSet open,
                                  std::optional<std::uint64_t> key, std::uint64_t counter);

/// What part of the requests each target gets by choose(), of the sum 1, or 0 for all.
std::vector<double> shares_of(std::span<const SplitTarget> split, TargetSet open);

/// Evenly spread, and exact over any million in a row.
bool is_sampled(double percent, std::uint64_t counter);

/// Whether a failure is the model's: not the caller's (400), nor that of the moment (429, 503,
/// 504).
bool is_model_fault(ErrorCode code);

/// The latest of a canary's requests, at most as many as the window holds.
struct CanaryFigures {
  std::int64_t requests = 0;  // that the model answered, or failed by its own fault
  std::int64_t faults = 0;
  std::int64_t comparisons = 0;
  std::int64_t disagreements = 0;
};

/// Why the canary has to go: "error rate 0.25 over 100 requests, limit 0.05"; none: it may stay.
std::optional<std::string> judge(const CanaryFigures& figures, const RollbackLimits& limits);

}  // namespace onnxop
