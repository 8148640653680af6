#pragma once
// Whether two models give the same answer to the same question. Pure functions.

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/onnx/contract.h"
#include "onnxop/tensor/tensor.h"

namespace onnxop {

/// Where no contract says what the outputs mean, two elements agree when |a - b| is at most
/// kAgreesAbsolute + kAgreesRelative * |a|.
inline constexpr double kAgreesAbsolute = 1e-3;
inline constexpr double kAgreesRelative = 1e-2;

/// What a model answered, and what its contract says of it.
struct ComparedAnswer {
  std::span<const NamedTensor> outputs;
  const ContractOutput* contract = nullptr;  // null: there is none
};

struct AnswerComparison {
  /// Classifications: the same most probable class in every row. Others: all elements of all
  /// outputs agree. Outputs of other names, types or shapes never do.
  bool agrees = false;
  /// The largest |a - b| of each output that both have in the same type and shape; not of texts.
  std::vector<std::pair<std::string, double>> largest;
};

/// `primary` is the one that relative differences are relative to.
AnswerComparison compare_answers(const ComparedAnswer& primary, const ComparedAnswer& other);

}  // namespace onnxop
