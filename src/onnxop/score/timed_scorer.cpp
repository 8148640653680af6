#include "onnxop/score/timed_scorer.h"

#include <utility>

namespace onnxop {

TimedScorer::TimedScorer(std::unique_ptr<Scorer> inner, const Clock& clock,
                         std::function<void(const ScoreTiming&)> report)
    : inner_(std::move(inner)), clock_(clock), report_(std::move(report)) {}

std::vector<NamedTensor> TimedScorer::run(std::span<const NamedTensor> inputs) {
  const SteadyTime start = clock_.steady();
  const auto report = [&](bool failed) {
    report_({seconds_between(start, clock_.steady()), failed});
  };
  std::vector<NamedTensor> outputs;
  try {
    outputs = inner_->run(inputs);
  } catch (...) {
    report(true);
    throw;
  }
  report(false);
  return outputs;
}

}  // namespace onnxop
