#pragma once
// One model's traffic while a plan holds: whose turn it is, how its canaries do, and which of them
// are out. Safe from any thread; nothing that every request does takes a lock.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/serving/answer_comparison.h"
#include "onnxop/serving/outcome_window.h"
#include "onnxop/serving/traffic_plan.h"

namespace onnxop {

/// Why a request is answered a second time, unseen by the caller.
enum class ComparisonKind : std::uint8_t {
  kShadow,  // by the plan's shadow
  kCanary,  // by the primary, as a canary has answered it
};
std::string_view comparison_kind_name(ComparisonKind kind);  // "shadow", "canary"

/// Counters that only grow.
class ComparisonCounters {
 public:
  struct Values {
    std::uint64_t requests = 0;  // that were to be compared: the sum of those below, and under way
    std::uint64_t dropped = 0;   // as there was no room or no time
    std::uint64_t failed = 0;    // the second answer was an error
    std::uint64_t agreed = 0;
    std::uint64_t disagreed = 0;
    std::map<std::string, double> largest;  // difference ever seen, by output
  };

  void count_request() { requests_.fetch_add(1, std::memory_order_relaxed); }
  void count_dropped() { dropped_.fetch_add(1, std::memory_order_relaxed); }
  void count_failed() { failed_.fetch_add(1, std::memory_order_relaxed); }
  void count(const AnswerComparison& comparison);
  Values values() const;

 private:
  std::atomic<std::uint64_t> requests_{0}, dropped_{0}, failed_{0}, agreed_{0}, disagreed_{0};
  mutable std::mutex mutex_;  // of the map
  std::map<std::string, double> largest_;
};

/// Of one target of one model, whatever the plan; they outlive plans.
struct TargetCounters {
  std::atomic<std::uint64_t> requests{0};  // given to it by a split
  std::atomic<std::uint64_t> rollbacks{0};
  ComparisonCounters shadow, canary;
  ComparisonCounters& of(ComparisonKind kind) {
    return kind == ComparisonKind::kShadow ? shadow : canary;
  }
};

struct Rollback {
  std::string target;
  std::string reason;
  CanaryFigures figures;  // that it was judged by
};

class ModelTraffic {
 public:
  using CountersOf = std::function<std::shared_ptr<TargetCounters>(const std::string& target)>;

  /// `plan` is a checked one.
  ModelTraffic(std::string model, TrafficPlan plan, const CountersOf& counters_of);

  const std::string& model() const { return model_; }
  const TrafficPlan& plan() const { return plan_; }

  /// The target of the split for the next request, of those that are `loaded` and not out, and
  /// counts it; `caller` is "" for one who does not say who he is. None: there is none.
  std::optional<std::size_t> choose_next(TargetSet loaded, std::string_view caller);

  /// Whether the next request of a canary is to be compared, and the next for the shadow.
  bool compares_next(std::size_t target);
  bool shadows_next();

  /// A request ended: answered, or by the model's own fault.
  void count_answer(std::size_t target, bool fault);

  /// A canary's answer was compared with the primary's.
  void count_agreement(std::size_t target, bool agrees);

  TargetSet out() const { return out_.load(std::memory_order_relaxed); }
  CanaryFigures figures(std::size_t target) const;
  /// The latest one.
  std::optional<Rollback> rollback() const;

  TargetCounters& counters(std::size_t target) const { return *targets_.at(target).counters; }
  /// Of the plan's shadow, which there is.
  TargetCounters& shadow_counters() const { return *shadow_; }

 private:
  struct Target {
    Target(std::shared_ptr<TargetCounters> its_counters, std::int64_t window)
        : counters(std::move(its_counters)), faults(window), disagreements(window) {}
    std::shared_ptr<TargetCounters> counters;
    OutcomeWindow faults;
    OutcomeWindow disagreements;
    std::atomic<std::uint64_t> compared{0};
  };

  void judge_canary(std::size_t target);
  bool is_judged(std::size_t target) const;

  const std::string model_;
  const TrafficPlan plan_;
  std::deque<Target> targets_;  // as the split has them; a deque: its elements do not move
  std::shared_ptr<TargetCounters> shadow_;
  std::atomic<std::uint64_t> turn_{0};
  std::atomic<std::uint64_t> shadowed_{0};
  std::atomic<TargetSet> out_{0};
  mutable std::mutex mutex_;  // of what follows
  std::optional<Rollback> rollback_;
};

}  // namespace onnxop
