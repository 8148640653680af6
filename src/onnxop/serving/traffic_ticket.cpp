#include "onnxop/serving/traffic_ticket.h"

#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/serving/shadow_runner.h"

namespace onnxop {
namespace {

const ContractOutput* contract_of(const ServedModel& model) {
  return model.contract ? &model.contract->output : nullptr;
}

std::size_t bytes_of(std::span<const NamedTensor> tensors) {
  std::size_t bytes = 0;
  for (const NamedTensor& each : tensors) {
    bytes += each.tensor.bytes().size();
  }
  return bytes;
}

/// Where the split or the shadow has something to say.
AssignedModel assign_by_traffic(const ServingCore& core, const ServingSet::Answering& answering,
                                std::string_view reference, const CallerOf& caller) {
  const RoutedTraffic& routed = *answering.traffic;
  ModelTraffic& traffic = *routed.traffic;
  ModelLease model = answering.model;
  std::optional<std::size_t> target;
  if (!routed.targets.empty()) {
    target = traffic.choose_next(routed.loaded, caller());
    if (!target) {
      fail(ErrorCode::kUnavailable, "model '{}': no target of its split is loaded", reference);
    }
    model = routed.targets[*target];
  }
  auto ticket = std::make_shared<TrafficTicket>(core, routed.traffic, target);
  if (target && *target > 0 && routed.targets[0] && traffic.compares_next(*target)) {
    ticket->compare_with(routed.targets[0], ComparisonKind::kCanary);
  } else if (routed.shadow && routed.shadow != model && traffic.shadows_next()) {
    ticket->compare_with(routed.shadow, ComparisonKind::kShadow);
  }
  return {std::move(model), std::move(ticket)};
}

}  // namespace

/// The same question to another model, and the first answer to it.
struct TrafficTicket::Comparison {
  std::unique_ptr<InferenceCall> again;
  std::vector<NamedTensor> outputs;
  ModelLease answered_by;
  std::shared_ptr<ModelTraffic> traffic;
  std::optional<std::size_t> target;
  ComparisonKind kind;
  TargetCounters& counters;

  void run() noexcept;
};

void TrafficTicket::Comparison::run() noexcept {
  ComparisonCounters& counted = counters.of(kind);
  const ServedModel& other = *again->model();
  try {
    const auto others = other.scorer->run(again->inputs());
    const ComparedAnswer first{outputs, contract_of(*answered_by)};
    const ComparedAnswer second{others, contract_of(other)};
    const bool is_canary = kind == ComparisonKind::kCanary;
    const AnswerComparison comparison =
        is_canary ? compare_answers(second, first) : compare_answers(first, second);
    counted.count(comparison);
    if (is_canary && target) {
      traffic->count_agreement(*target, comparison.agrees);
    }
  } catch (const std::exception& e) {
    counted.count_failed();
    log_fields(LogLevel::kDebug, "a comparison failed",
               {{"model", std::string_view(other.name)},
                {"version", other.version},
                {"details", std::string_view(e.what())}});
  }
}

TrafficTicket::~TrafficTicket() {
  if (comparison_) {
    shadows_->give_back(reserved_bytes_);
  }
}

TargetCounters& TrafficTicket::compared_counters() const {
  return kind_ == ComparisonKind::kShadow ? traffic_->shadow_counters()
                                          : traffic_->counters(*target_);
}

void TrafficTicket::compare_with(ModelLease model, ComparisonKind kind) {
  other_ = std::move(model);
  kind_ = kind;
}

void TrafficTicket::before_answer(InferenceCall& call) noexcept {
  if (call.error()) {
    outcome_ = is_model_fault(call.error()->code()) ? Outcome::kFault : Outcome::kOther;
    return;
  }
  outcome_ = Outcome::kAnswered;
  if (!other_) {
    return;
  }
  ComparisonCounters& counters = compared_counters().of(kind_);
  counters.count_request();
  const std::size_t bytes = call.input_bytes() + bytes_of(call.outputs());
  // Where calls wait, the processors have something better to do.
  if (shadows_ == nullptr || scheduler_.waiting() > 0 || !shadows_->reserve(bytes)) {
    counters.count_dropped();
    return;
  }
  reserved_bytes_ = bytes;
  try {
    std::vector<NamedTensor> outputs;
    for (const NamedTensor& output : call.outputs()) {
      outputs.push_back({output.name, output.tensor.share()});
    }
    comparison_ = std::make_shared<Comparison>(
        Comparison{call.again_with(other_), std::move(outputs), call.model(), traffic_, target_,
                   kind_, compared_counters()});
  } catch (const std::exception&) {  // inputs that the other model does not take
    shadows_->give_back(bytes);
    counters.count_failed();
  }
}

void TrafficTicket::after_answer() noexcept {
  if (target_ && outcome_ != Outcome::kOther) {
    traffic_->count_answer(*target_, outcome_ == Outcome::kFault);
  }
  if (!comparison_) {
    return;
  }
  const auto comparison = std::exchange(comparison_, nullptr);
  try {
    shadows_->run(reserved_bytes_, [comparison] { comparison->run(); });
  } catch (const std::bad_alloc&) {
    shadows_->give_back(reserved_bytes_);
    comparison->counters.of(comparison->kind).count_dropped();
  }
}

AssignedModel assign_model(const ServingCore& core, const ServingSet& set,
                           std::string_view reference, const CallerOf& caller) {
  const ServingSet::Answering* answering = set.answering(reference);
  if (answering == nullptr) {
    return {};
  }
  if (!answering->traffic) {
    return {answering->model};
  }
  return assign_by_traffic(core, *answering, reference, caller);
}

AssignedModel assign_model(const ServingCore& core, std::string_view name, std::string_view version,
                           const CallerOf& caller) {
  const auto set = core.catalog.snapshot();
  if (version.empty()) {
    AssignedModel assigned = assign_model(core, *set, name, caller);
    if (assigned.model) {
      return assigned;
    }
  }
  return {resolve_model(*set, name, version)};
}

}  // namespace onnxop
