#pragma once
// The way of one request through its model's traffic: which version answers it, and what becomes
// of it afterwards: its outcome is counted, and where it is to be compared, another version runs
// the same inputs once the answer is on its way.

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "onnxop/serving/inference.h"
#include "onnxop/serving/model_traffic.h"
#include "onnxop/serving/serving_core.h"

namespace onnxop {

/// Told of one call, by the call, on the thread that ends it.
class TrafficTicket {
 public:
  TrafficTicket(const ServingCore& core, std::shared_ptr<ModelTraffic> traffic,
                std::optional<std::size_t> target)
      : scheduler_(core.scheduler),
        shadows_(core.shadows),
        traffic_(std::move(traffic)),
        target_(target) {}
  ~TrafficTicket();
  TrafficTicket(const TrafficTicket&) = delete;
  TrafficTicket& operator=(const TrafficTicket&) = delete;

  /// Has `model` run the same inputs, unless the call fails or there is no room for it.
  void compare_with(ModelLease model, ComparisonKind kind);

  /// The call has ended, and its answer is not made yet: takes what will be compared.
  void before_answer(InferenceCall& call) noexcept;
  /// What the model gave turns out to be no answer.
  void mark_fault() noexcept { outcome_ = Outcome::kFault; }
  /// The call may be gone.
  void after_answer() noexcept;

 private:
  enum class Outcome : std::uint8_t { kAnswered, kFault, kOther };
  struct Comparison;

  TargetCounters& compared_counters() const;

  Scheduler& scheduler_;
  ShadowRunner* shadows_;  // null: nothing is compared
  std::shared_ptr<ModelTraffic> traffic_;
  std::optional<std::size_t> target_;  // none: there is no split
  ModelLease other_;
  ComparisonKind kind_ = ComparisonKind::kShadow;
  Outcome outcome_ = Outcome::kOther;
  std::size_t reserved_bytes_ = 0;
  std::shared_ptr<Comparison> comparison_;  // with room reserved for it
};

/// Who asks, "" for one who does not say; called only where it matters.
using CallerOf = std::function<std::string_view()>;

struct AssignedModel {
  ModelLease model;  // null: nothing answers to the reference
  std::shared_ptr<TrafficTicket> ticket = nullptr;
};

/// What answers the next request for `reference` ("mnist", "mnist@champion"). Throws
/// Error{kUnavailable} where there is a split of which no target is loaded. `core` outlives the
/// request.
AssignedModel assign_model(const ServingCore& core, const ServingSet& set,
                           std::string_view reference, const CallerOf& caller);

/// The same for `name` and `version`, with the errors of resolve_model().
AssignedModel assign_model(const ServingCore& core, std::string_view name, std::string_view version,
                           const CallerOf& caller);

}  // namespace onnxop
