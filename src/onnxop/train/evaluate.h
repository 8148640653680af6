#pragma once
// How good predictions are: of the network in training, or of any model behind a function.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onnxop/data/batches.h"
#include "onnxop/data/dataset.h"

namespace onnxop {

/// Fills `outputs` (n * outputs of a sample) for n samples.
using Predict =
    std::function<void(std::span<const float> inputs, std::int64_t n, std::span<float> outputs)>;

struct ClassScore {
  std::string label;
  std::int64_t samples = 0;  // that are of this class
  double precision =
      0;              // share of those predicted as this class that are; 0 when none was predicted
  double recall = 0;  // share of those of this class that were predicted so; 0 when there are none
};

struct Evaluation {
  std::int64_t samples = 0;
  double loss = 0;                 // mean cross-entropy, or mean squared error
  std::optional<double> accuracy;  // classification
  std::vector<std::vector<std::int64_t>>
      confusion;                              // classification: [true class][predicted class]
  std::vector<ClassScore> classes;            // classification
  std::optional<double> mean_absolute_error;  // regression
};

/// Predicts the samples at `indices` in batches of at most `batch`. Classification where the data
/// has classes, with probabilities as outputs; of equal ones the first counts as predicted. A
/// probability below 1e-7 counts as 1e-7 in the loss, as in Keras.
Evaluation evaluate(const Predict& predict, const Dataset& data, std::vector<std::uint32_t> indices,
                    const BatchReader::Convert& convert, std::int64_t batch);

/// All samples.
Evaluation evaluate(const Predict& predict, const Dataset& data,
                    const BatchReader::Convert& convert, std::int64_t batch);

}  // namespace onnxop
