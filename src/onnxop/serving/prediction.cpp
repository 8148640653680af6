#include "onnxop/serving/prediction.h"

#include <algorithm>
#include <cmath>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

const Tensor& find_output(const std::string& name, std::span<const NamedTensor> outputs) {
  for (const NamedTensor& output : outputs) {
    if (output.name == name) {
      return output.tensor;
    }
  }
  fail(ErrorCode::kInternal, "the model gave no output '{}'", name);
}

template <typename T>
std::vector<double> sample_values(const Tensor& tensor, std::size_t sample, std::size_t count) {
  const auto values = tensor.values<T>().subspan(sample * count, count);
  return {values.begin(), values.end()};
}

std::vector<double> sample_values(const ContractOutput& contract, const Tensor& tensor,
                                  std::size_t sample) {
  const auto samples = tensor.shape().empty() ? 0 : static_cast<std::size_t>(tensor.shape()[0]);
  const auto count = samples == 0 ? 0 : static_cast<std::size_t>(tensor.size()) / samples;
  if (sample >= samples || count == 0) {
    fail(ErrorCode::kInternal, "output '{}' has shape {}, expected values for sample {}",
         contract.name, shape_text(tensor.shape()), sample);
  }
  if (!contract.labels.empty() && contract.labels.size() != count) {
    fail(ErrorCode::kInternal, "output '{}' has shape {}, expected {} values a sample, one a label",
         contract.name, shape_text(tensor.shape()), contract.labels.size());
  }
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return sample_values<float>(tensor, sample, count);
    case DType::kFloat64:
      return sample_values<double>(tensor, sample, count);
    default:
      fail(ErrorCode::kInternal, "output '{}' is {}, expected float32 or float64", contract.name,
           dtype_name(tensor.dtype()));
  }
}

void softmax(std::vector<double>& values) {
  const double largest = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (double& value : values) {
    value = std::exp(value - largest);
    sum += value;
  }
  for (double& value : values) {
    value /= sum;
  }
}

}  // namespace

Prediction read_prediction(const ContractOutput& contract, std::span<const NamedTensor> outputs,
                           std::size_t sample) {
  Prediction prediction;
  prediction.values = sample_values(contract, find_output(contract.name, outputs), sample);
  for (const double value : prediction.values) {
    if (!std::isfinite(value)) {
      fail(ErrorCode::kInternal, "output '{}' holds {}, expected finite numbers", contract.name,
           value);
    }
  }
  if (contract.kind == OutputKind::kRegression) {
    return prediction;
  }
  if (contract.logits) {
    softmax(prediction.values);
  }
  const auto best = std::max_element(prediction.values.begin(), prediction.values.end());
  const auto index = static_cast<std::size_t>(best - prediction.values.begin());
  prediction.label = contract.labels.empty() ? format("{}", index) : contract.labels[index];
  prediction.confidence = *best;
  return prediction;
}

}  // namespace onnxop
