#include "onnxop/serving/answer_comparison.h"

#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/score/compare.h"
#include "onnxop/serving/prediction.h"

namespace onnxop {
namespace {

const NamedTensor* find_output(std::span<const NamedTensor> outputs, const std::string& name) {
  const auto found = std::find_if(outputs.begin(), outputs.end(),
                                  [&](const NamedTensor& each) { return each.name == name; });
  return found == outputs.end() ? nullptr : &*found;
}

bool is_classification(const ComparedAnswer& answer) {
  return answer.contract != nullptr && answer.contract->kind == OutputKind::kClassification;
}

std::int64_t rows_of(const ComparedAnswer& answer) {
  const NamedTensor* output = find_output(answer.outputs, answer.contract->name);
  return output == nullptr || output->tensor.shape().empty() ? 0 : output->tensor.shape()[0];
}

bool same_classes(const ComparedAnswer& a, const ComparedAnswer& b) {
  const std::int64_t rows = rows_of(a);
  if (rows == 0 || rows != rows_of(b)) {
    return false;
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    if (read_prediction(*a.contract, a.outputs, row).label !=
        read_prediction(*b.contract, b.outputs, row).label) {
      return false;
    }
  }
  return true;
}

bool all_close(std::span<const NamedTensor> primary, std::span<const NamedTensor> others) {
  return primary.size() == others.size() &&
         std::all_of(primary.begin(), primary.end(), [&](const NamedTensor& output) {
           const NamedTensor* other = find_output(others, output.name);
           return other != nullptr &&
                  all_close(output.tensor, other->tensor, kAgreesAbsolute, kAgreesRelative);
         });
}

}  // namespace

AnswerComparison compare_answers(const ComparedAnswer& primary, const ComparedAnswer& other) {
  AnswerComparison comparison;
  for (const NamedTensor& output : primary.outputs) {
    const NamedTensor* counterpart = find_output(other.outputs, output.name);
    if (counterpart == nullptr) {
      continue;
    }
    try {
      comparison.largest.emplace_back(
          output.name, compare_outputs(std::span(&output, 1), std::span(counterpart, 1)).largest);
    } catch (const Error&) {
      // Of another type or shape, or texts: it has no difference to tell.
    }
  }
  try {
    comparison.agrees = is_classification(primary) && is_classification(other)
                            ? same_classes(primary, other)
                            : all_close(primary.outputs, other.outputs);
  } catch (const Error&) {
    comparison.agrees = false;  // an output that its own contract does not fit
  }
  return comparison;
}

}  // namespace onnxop
