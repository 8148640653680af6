#pragma once
// A Scorer that tells how long each run took. Any number of threads may run it, as with the Scorer
// inside.

#include <functional>
#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/score/scorer.h"

namespace onnxop {

struct ScoreTiming {
  double seconds = 0;
  bool failed = false;  // the run threw; the exception goes on to the caller
};

class TimedScorer : public Scorer {
 public:
  /// `report` is called once a run, in the thread that ran it, and must not throw. `clock` must
  /// outlive the scorer.
  TimedScorer(std::unique_ptr<Scorer> inner, const Clock& clock,
              std::function<void(const ScoreTiming&)> report);

  const std::vector<TensorInfo>& inputs() const override { return inner_->inputs(); }
  const std::vector<TensorInfo>& outputs() const override { return inner_->outputs(); }
  std::vector<NamedTensor> run(std::span<const NamedTensor> inputs) override;

 private:
  std::unique_ptr<Scorer> inner_;
  const Clock& clock_;
  std::function<void(const ScoreTiming&)> report_;
};

}  // namespace onnxop
