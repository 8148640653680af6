#include "onnxop/serving/traffic_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_target_name(std::string_view text) {
  constexpr std::size_t kLongest = 128;
  const auto is_letter_or_digit = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !text.empty() && text.size() <= kLongest && is_letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

void check_target(std::string_view name) {
  if (!is_target_name(name)) {
    fail(ErrorCode::kInvalidArgument, "traffic: got target '{}', expected an alias or a number",
         name);
  }
}

void check_range(std::string_view what, double value, double most) {
  if (!(value >= 0 && value <= most)) {
    fail(ErrorCode::kInvalidArgument, "traffic: {} is {}, expected 0 to {}", what, value, most);
  }
}

void check_split(std::span<const SplitTarget> split) {
  if (split.size() > kMostTargets) {
    fail(ErrorCode::kInvalidArgument, "traffic: a split of {} targets, expected at most {}",
         split.size(), kMostTargets);
  }
  std::set<std::string_view> names;
  std::int64_t total = 0;
  for (const SplitTarget& target : split) {
    check_target(target.name);
    if (!names.insert(target.name).second) {
      fail(ErrorCode::kInvalidArgument, "traffic: target '{}' is given twice", target.name);
    }
    if (target.weight < 0 || target.weight > kMostWeight) {
      fail(ErrorCode::kInvalidArgument, "traffic: the weight of '{}' is {}, expected 0 to {}",
           target.name, target.weight, kMostWeight);
    }
    total += target.weight;
  }
  if (!split.empty() && total == 0) {
    fail(ErrorCode::kInvalidArgument, "traffic: all weights are 0, expected one above it");
  }
}

void check_rollback(const TrafficPlan& plan) {
  const RollbackLimits& limits = plan.rollback;
  if (!limits.max_error_rate && !limits.max_disagreement) {
    return;
  }
  if (plan.split.size() < 2) {
    fail(ErrorCode::kInvalidArgument, "traffic: a rollback without a canary in the split");
  }
  check_range("max_error_rate", limits.max_error_rate.value_or(0), 1);
  check_range("max_disagreement", limits.max_disagreement.value_or(0), 1);
  check_range("compare_percent", limits.compare_percent, 100);
  if (limits.min_requests < 1 || limits.min_requests > kMostWindow) {
    fail(ErrorCode::kInvalidArgument, "traffic: min_requests is {}, expected 1 to {}",
         limits.min_requests, kMostWindow);
  }
}

/// FNV-1a.
std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t start = 0xcbf29ce484222325) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  for (const char c : bytes) {
    start = (start ^ static_cast<unsigned char>(c)) * kPrime;
  }
  return start;
}

/// SplitMix64's last steps: every bit of the result depends on every bit of the value.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/// The weights of those who may answer, 0 of the others.
class OpenWeights {
 public:
  OpenWeights(std::span<const SplitTarget> split, TargetSet open) : size_(split.size()) {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < size_; ++i) {
      if ((open >> i & 1U) != 0) {
        first = first ? first : i;
        weights_[i] = split[i].weight;
        total_ += split[i].weight;
      }
    }
    if (total_ == 0 && first) {  // somebody has to answer
      weights_[*first] = 1;
      total_ = 1;
    }
  }

  std::span<const std::int64_t> values() const { return std::span(weights_).first(size_); }
  std::uint64_t total() const { return static_cast<std::uint64_t>(total_); }

 private:
  std::size_t size_;
  std::array<std::int64_t, kMostTargets> weights_{};
  std::int64_t total_ = 0;
};

/// How many of the first `n` requests are among the `part` of every `whole`; n <= whole.
std::uint64_t taken_before(std::uint64_t part, std::uint64_t whole, std::uint64_t n) {
  return (n * part + whole - 1) / whole;
}

bool is_turn(std::uint64_t part, std::uint64_t whole, std::uint64_t n) {
  return taken_before(part, whole, n + 1) > taken_before(part, whole, n);
}

/// The largest of -w / ln(u), u evenly distributed by key and name.
std::size_t choose_by_key(std::span<const SplitTarget> split, std::span<const std::int64_t> weights,
                          std::uint64_t key) {
  std::size_t best = 0;
  double best_score = -1;
  for (std::size_t i = 0; i < split.size(); ++i) {
    if (weights[i] == 0) {
      continue;
    }
    const std::uint64_t drawn = mix(key ^ hash_bytes(split[i].name));
    const double u = (static_cast<double>(drawn >> 11) + 0.5) * 0x1p-53;
    const double score = -static_cast<double>(weights[i]) / std::log(u);
    if (score > best_score) {
      best_score = score;
      best = i;
    }
  }
  return best;
}

/// Each target takes its part of what those before it have left.
std::size_t choose_by_turn(std::span<const std::int64_t> weights, std::uint64_t total,
                           std::uint64_t n) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto weight = static_cast<std::uint64_t>(weights[i]);
    if (weight == 0) {
      continue;
    }
    n %= total;
    if (is_turn(weight, total, n)) {
      return i;
    }
    n -= taken_before(weight, total, n);
    total -= weight;
  }
  return 0;  // not reached: the last weight is all that is left
}

}  // namespace

void check_traffic_plan(const TrafficPlan& plan) {
  if (plan.split.empty() && !plan.shadow) {
    fail(ErrorCode::kInvalidArgument, "traffic: got neither split nor shadow, expected one");
  }
  check_split(plan.split);
  if (plan.shadow) {
    check_target(plan.shadow->target);
    check_range("the shadow's percent", plan.shadow->percent, 100);
  }
  check_rollback(plan);
}

std::string target_reference(std::string_view model, std::string_view target) {
  return format("{}{}{}", model, is_number(target) ? ':' : '@', target);
}

std::vector<std::string> traffic_references(std::string_view model, const TrafficPlan& plan) {
  std::vector<std::string> references;
  for (const SplitTarget& target : plan.split) {
    references.push_back(target_reference(model, target.name));
  }
  if (plan.shadow) {
    references.push_back(target_reference(model, plan.shadow->target));
  }
  return references;
}

std::uint64_t sticky_key(std::string_view model, std::string_view caller) {
  return mix(hash_bytes(caller, hash_bytes(std::string_view("\0", 1), hash_bytes(model))));
}

std::optional<std::size_t> choose(std::span<const SplitTarget> split, TargetSet open,
                                  std::optional<std::uint64_t> key, std::uint64_t counter) {
  const OpenWeights weights(split, open);
  if (weights.total() == 0) {
    return std::nullopt;
  }
  return key ? choose_by_key(split, weights.values(), *key)
             : choose_by_turn(weights.values(), weights.total(), counter);
}

std::vector<double> shares_of(std::span<const SplitTarget> split, TargetSet open) {
  const OpenWeights weights(split, open);
  std::vector<double> shares;
  for (const std::int64_t weight : weights.values()) {
    shares.push_back(
        weight == 0 ? 0 : static_cast<double>(weight) / static_cast<double>(weights.total()));
  }
  return shares;
}

bool is_sampled(double percent, std::uint64_t counter) {
  constexpr std::uint64_t kWhole = 1'000'000;
  const auto part = static_cast<std::uint64_t>(std::llround(percent * (kWhole / 100.0)));
  return is_turn(part, kWhole, counter % kWhole);
}

bool is_model_fault(ErrorCode code) {
  return code == ErrorCode::kInternal || code == ErrorCode::kIo || code == ErrorCode::kDataLoss;
}

std::optional<std::string> judge(const CanaryFigures& figures, const RollbackLimits& limits) {
  const auto passes = [&](std::optional<double> limit, std::int64_t bad, std::int64_t all) {
    return limit && all >= limits.min_requests &&
           static_cast<double>(bad) > *limit * static_cast<double>(all);
  };
  const auto rate = [](std::int64_t bad, std::int64_t all) {
    return static_cast<double>(bad) / static_cast<double>(all);
  };
  if (passes(limits.max_error_rate, figures.faults, figures.requests)) {
    return format("error rate {:.4g} over {} requests, limit {}",
                  rate(figures.faults, figures.requests), figures.requests, *limits.max_error_rate);
  }
  if (passes(limits.max_disagreement, figures.disagreements, figures.comparisons)) {
    return format("disagreement {:.4g} over {} comparisons, limit {}",
                  rate(figures.disagreements, figures.comparisons), figures.comparisons,
                  *limits.max_disagreement);
  }
  return std::nullopt;
}

}  // namespace onnxop
