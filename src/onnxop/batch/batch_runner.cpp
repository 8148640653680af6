#include "onnxop/batch/batch_runner.h"

#include <utility>

namespace onnxop {
namespace {

/// What a call is told when something else than an Error was thrown.
Error as_error(const ModelQueue& queue, const std::exception& e) {
  const auto* known = dynamic_cast<const Error*>(&e);
  return known != nullptr
             ? *known
             : Error(ErrorCode::kInternal, format("{}: {}", queue.options().name, e.what()));
}

}  // namespace

double BatchRunner::run(ModelQueue& queue, std::span<BatchCall* const> calls) noexcept {
  const SteadyTime begun = clock_.steady();
  for (BatchCall* call : calls) {
    call->times.taken = begun;
  }
  gather(calls);
  const bool joined = ready_.size() > 1 && run_joined(queue);
  if (!joined) {
    for (const Ready& each : ready_) {
      run_single(queue, each);
    }
  }
  ready_.clear();
  return seconds_between(begun, clock_.steady());
}

/// The calls whose inputs are good; the others are answered.
void BatchRunner::gather(std::span<BatchCall* const> calls) {
  ready_.clear();
  for (BatchCall* call : calls) {
    try {
      ready_.push_back({call, call->inputs()});
    } catch (const Error& e) {
      call->fail_and_tell(e);
    } catch (const std::exception& e) {
      call->fail_and_tell(Error(ErrorCode::kInternal, e.what()));
    }
  }
}

/// False, with nobody answered, when the batch cannot be joined, run or cut.
bool BatchRunner::run_joined(ModelQueue& queue) {
  std::vector<std::vector<NamedTensor>> parts;
  try {
    std::vector<std::span<const NamedTensor>> callers;
    std::vector<std::int64_t> rows;
    std::int64_t total = 0;
    for (const Ready& each : ready_) {
      callers.push_back(each.inputs);
      rows.push_back(batch_rows(each.inputs));
      total += rows.back();
    }
    const auto merged = buffer_.merge(callers);
    parts = split_rows(timed_run(queue, merged, ready_, total), rows);
  } catch (const std::exception&) {
    return false;
  }
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    ready_[i].call->succeed(std::move(parts[i]));
  }
  for (const Ready& each : ready_) {
    each.call->tell();
  }
  return true;
}

void BatchRunner::run_single(ModelQueue& queue, const Ready& ready) {
  std::vector<NamedTensor> outputs;
  try {
    const std::int64_t rows = std::max<std::int64_t>(1, batch_rows(ready.inputs));
    outputs = timed_run(queue, ready.inputs, std::span(&ready, 1), rows);
  } catch (const std::exception& e) {
    ready.call->fail_and_tell(as_error(queue, e));
    return;
  }
  ready.call->succeed(std::move(outputs));
  ready.call->tell();
}

std::vector<NamedTensor> BatchRunner::timed_run(ModelQueue& queue,
                                                std::span<const NamedTensor> inputs,
                                                std::span<const Ready> ready, std::int64_t rows) {
  const SteadyTime begun = clock_.steady();
  const auto report = [&](bool failed) {
    const SteadyTime ended = clock_.steady();
    const double seconds = seconds_between(begun, ended);
    for (const Ready& each : ready) {
      each.call->times.run_begun = begun;
      each.call->times.run_ended = ended;
      each.call->times.run_rows = rows;
    }
    if (rows == 1 && !failed) {
      queue.run_seconds_.store(seconds, std::memory_order_relaxed);
    }
    if (queue.options_.on_run) {
      queue.options_.on_run({rows, static_cast<std::int64_t>(ready.size()), seconds, failed});
    }
  };
  try {
    auto outputs = queue.scorer_->run(inputs);
    report(false);
    return outputs;
  } catch (...) {
    report(true);
    throw;
  }
}

}  // namespace onnxop
