#pragma once
// A Scorer that has a second engine compute each result too and compares them. For tests and for
// trying a new engine on real requests. Any number of threads may run it, as with the Scorers
// inside.

#include <functional>
#include <memory>

#include "onnxop/score/compare.h"
#include "onnxop/score/scorer.h"

namespace onnxop {

class CheckedScorer : public Scorer {
 public:
  /// The results are `inner`'s. Where an element differs from `reference`'s by more than
  /// `tolerance` (absolute), run() calls `report` if there is one, and otherwise throws
  /// Error{kInternal} that says where. Throws Error{kInvalidArgument} when the two do not have the
  /// same inputs and outputs (names, types, number of dimensions), or the tolerance is negative.
  /// What the reference itself throws goes on to the caller.
  CheckedScorer(std::unique_ptr<Scorer> inner, std::unique_ptr<Scorer> reference, double tolerance,
                std::function<void(const OutputDifference&)> report = {});

  const std::vector<TensorInfo>& inputs() const override { return inner_->inputs(); }
  const std::vector<TensorInfo>& outputs() const override { return inner_->outputs(); }
  std::vector<NamedTensor> run(std::span<const NamedTensor> inputs) override;

 private:
  std::unique_ptr<Scorer> inner_;
  std::unique_ptr<Scorer> reference_;
  double tolerance_;
  std::function<void(const OutputDifference&)> report_;
};

}  // namespace onnxop
