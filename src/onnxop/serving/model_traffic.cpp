#include "onnxop/serving/model_traffic.h"

#include <algorithm>

#include "onnxop/base/log.h"

namespace onnxop {

std::string_view comparison_kind_name(ComparisonKind kind) {
  return kind == ComparisonKind::kShadow ? "shadow" : "canary";
}

void ComparisonCounters::count(const AnswerComparison& comparison) {
  (comparison.agrees ? agreed_ : disagreed_).fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  for (const auto& [output, difference] : comparison.largest) {
    double& largest = largest_[output];
    largest = std::max(largest, difference);
  }
}

ComparisonCounters::Values ComparisonCounters::values() const {
  Values values;
  values.requests = requests_.load(std::memory_order_relaxed);
  values.dropped = dropped_.load(std::memory_order_relaxed);
  values.failed = failed_.load(std::memory_order_relaxed);
  values.agreed = agreed_.load(std::memory_order_relaxed);
  values.disagreed = disagreed_.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  values.largest = largest_;
  return values;
}

ModelTraffic::ModelTraffic(std::string model, TrafficPlan plan, const CountersOf& counters_of)
    : model_(std::move(model)), plan_(std::move(plan)) {
  for (std::size_t i = 0; i < plan_.split.size(); ++i) {
    targets_.emplace_back(counters_of(plan_.split[i].name),
                          is_judged(i) ? plan_.rollback.min_requests : 1);
  }
  if (plan_.shadow) {
    shadow_ = counters_of(plan_.shadow->target);
  }
}

std::optional<std::size_t> ModelTraffic::choose_next(TargetSet loaded, std::string_view caller) {
  const auto key = caller.empty() ? std::nullopt : std::optional(sticky_key(model_, caller));
  const std::uint64_t turn = key ? 0 : turn_.fetch_add(1, std::memory_order_relaxed);
  const auto target = choose(plan_.split, loaded & ~out(), key, turn);
  if (target) {
    targets_[*target].counters->requests.fetch_add(1, std::memory_order_relaxed);
  }
  return target;
}

bool ModelTraffic::compares_next(std::size_t target) {
  return is_judged(target) && plan_.rollback.max_disagreement &&
         is_sampled(plan_.rollback.compare_percent,
                    targets_[target].compared.fetch_add(1, std::memory_order_relaxed));
}

bool ModelTraffic::shadows_next() {
  return plan_.shadow &&
         is_sampled(plan_.shadow->percent, shadowed_.fetch_add(1, std::memory_order_relaxed));
}

void ModelTraffic::count_answer(std::size_t target, bool fault) {
  if (is_judged(target)) {
    targets_[target].faults.add(fault);
    judge_canary(target);
  }
}

void ModelTraffic::count_agreement(std::size_t target, bool agrees) {
  if (is_judged(target)) {
    targets_[target].disagreements.add(!agrees);
    judge_canary(target);
  }
}

CanaryFigures ModelTraffic::figures(std::size_t target) const {
  const Target& canary = targets_.at(target);
  return {canary.faults.size(), canary.faults.bad(), canary.disagreements.size(),
          canary.disagreements.bad()};
}

std::optional<Rollback> ModelTraffic::rollback() const {
  const std::lock_guard lock(mutex_);
  return rollback_;
}

/// The primary is what the canaries are rolled back to.
bool ModelTraffic::is_judged(std::size_t target) const {
  return target > 0 && (plan_.rollback.max_error_rate || plan_.rollback.max_disagreement);
}

void ModelTraffic::judge_canary(std::size_t target) {
  const CanaryFigures figures = this->figures(target);
  const auto reason = judge(figures, plan_.rollback);
  const TargetSet bit = TargetSet{1} << target;
  if (!reason || (out_.fetch_or(bit, std::memory_order_relaxed) & bit) != 0) {
    return;
  }
  const std::string& name = plan_.split[target].name;
  {
    const std::lock_guard lock(mutex_);
    rollback_ = {name, *reason, figures};
  }
  targets_[target].counters->rollbacks.fetch_add(1, std::memory_order_relaxed);
  log_fields(LogLevel::kError, "a canary is rolled back: it gets no traffic until a new split",
             {{"model", std::string_view(model_)},
              {"target", std::string_view(name)},
              {"reason", std::string_view(*reason)}});
}

}  // namespace onnxop
