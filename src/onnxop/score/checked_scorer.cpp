#include "onnxop/score/checked_scorer.h"

#include <algorithm>
#include <utility>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

void check_same(const std::vector<TensorInfo>& inner, const std::vector<TensorInfo>& reference,
                std::string_view what) {
  const auto same = [](const TensorInfo& a, const TensorInfo& b) {
    return a.name == b.name && a.dtype == b.dtype && a.shape.size() == b.shape.size();
  };
  if (!std::is_permutation(inner.begin(), inner.end(), reference.begin(), reference.end(), same)) {
    fail(ErrorCode::kInvalidArgument,
         "the checked engine and its reference have different {}: {} and {} of them, which must "
         "agree in name, type and number of dimensions",
         what, inner.size(), reference.size());
  }
}

}  // namespace

CheckedScorer::CheckedScorer(std::unique_ptr<Scorer> inner, std::unique_ptr<Scorer> reference,
                             double tolerance, std::function<void(const OutputDifference&)> report)
    : inner_(std::move(inner)),
      reference_(std::move(reference)),
      tolerance_(tolerance),
      report_(std::move(report)) {
  if (!(tolerance >= 0)) {
    fail(ErrorCode::kInvalidArgument, "tolerance: got {}, expected 0 or more", tolerance);
  }
  check_same(inner_->inputs(), reference_->inputs(), "inputs");
  check_same(inner_->outputs(), reference_->outputs(), "outputs");
}

std::vector<NamedTensor> CheckedScorer::run(std::span<const NamedTensor> inputs) {
  std::vector<NamedTensor> outputs = inner_->run(inputs);
  const auto difference = compare_outputs(outputs, reference_->run(inputs));
  if (difference.largest > tolerance_) {
    if (!report_) {
      fail(ErrorCode::kInternal, "two engines differ by {}, more than {}, at {}",
           difference.largest, tolerance_, difference.where);
    }
    report_(difference);
  }
  return outputs;
}

}  // namespace onnxop
