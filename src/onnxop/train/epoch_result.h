#pragma once
// What an epoch gave, and what follows from a list of epochs: which is the best, whether to stop.
// Pure functions, so that a resumed training decides as an undisturbed one.

#include <cstdint>
#include <optional>
#include <vector>

#include "onnxop/train/spec.h"

namespace onnxop {

struct EpochResult {
  std::int64_t epoch = 0;  // from 1
  double train_loss = 0;   // mean over the epoch's samples, as they were trained on (with dropout)
  std::optional<double> train_accuracy;  // classification
  double val_loss = 0;
  std::optional<double> val_accuracy;  // classification
  double learning_rate = 0;            // of the epoch's last step
  double seconds = 0;                  // all of the epoch
  double train_seconds = 0;            // without validation
};

/// The higher validation accuracy, of equal ones the lower validation loss; for regression the
/// lower validation loss.
bool is_better(const EpochResult& one, const EpochResult& other);

/// The number of the best epoch, the first of equals; 0 for none.
std::int64_t best_epoch(const std::vector<EpochResult>& epochs);

/// Whether the monitored value has not improved by more than min_delta for `patience` epochs in a
/// row (a patience of 0 is as 1), counted as Keras does: from the last epoch that improved.
bool out_of_patience(const EarlyStoppingSpec& spec, const std::vector<EpochResult>& epochs);

}  // namespace onnxop
