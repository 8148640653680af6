#pragma once
// The training loop: data in, trained ONNX model out. The same spec, data and binary give the same
// model bytes, for any number of threads and however often the training was interrupted and
// resumed.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/onnx/graph.h"
#include "onnxop/train/epoch_result.h"
#include "onnxop/train/evaluate.h"
#include "onnxop/train/spec.h"

namespace onnxop {

struct TrainOptions {
  std::filesystem::path data_dir;  // where mnist lies; empty: default_data_dir()
  std::filesystem::path
      checkpoint_dir;   // an existing folder for kCheckpointName; empty: no checkpoints
  bool resume = false;  // go on from the checkpoint; from the start where none was written yet
  const std::atomic<bool>* stop = nullptr;  // looked at between batches; true ends the training
  int threads = 0;  // 0: train.threads of the spec, which at 0 means all of the machine's
  const Clock* clock = nullptr;  // null: the system's
  std::string producer_version;  // of this program, for the model file
  // Told of a checkpoint that could not be written; the training goes on, and the next epoch tries
  // again. Empty: such an error is thrown.
  std::function<void(const Error&)> on_checkpoint_error;
};

inline constexpr std::string_view kCheckpointName = "checkpoint";

struct TrainSummary {
  std::int64_t parameters = 0;  // trained
  double forward_flops = 0;     // of one sample
  double train_flops = 0;       // of one sample, forward and backward
  std::int64_t training_samples = 0;
  std::int64_t validation_samples = 0;
  std::int64_t test_samples = 0;
  std::int64_t batches = 0;  // of an epoch
  std::int64_t epochs = 0;
  std::vector<EpochResult> finished;  // epochs before this start; none unless resumed
  std::string train_sha256;           // of the training and validation samples
  std::string test_sha256;
  int threads = 1;
};

struct BatchProgress {
  std::int64_t epoch = 0;  // from 1
  std::int64_t epochs = 0;
  std::int64_t batch = 0;                // finished in this epoch
  std::int64_t batches = 0;              // of an epoch
  std::int64_t step = 0;                 // batches since the training began, this one included
  double loss = 0;                       // mean of the epoch so far
  std::optional<double> accuracy;        // of the epoch so far; classification
  double batch_loss = 0;                 // mean of this batch
  std::optional<double> batch_accuracy;  // of this batch; classification
  double learning_rate = 0;              // of this batch's step
  double images_per_second = 0;          // of the epoch so far
  double seconds_left = 0;               // of the whole training, if it goes on so
};

/// Called on the thread that called train().
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void on_start(const TrainSummary&) {}
  virtual void on_batch(const BatchProgress&) {}
  virtual void on_epoch(const EpochResult&) {}
  /// What the exported weights answer to the test samples, in their order, batch after batch.
  virtual void on_test_outputs(std::span<const float>) {}
};

inline constexpr std::int64_t kMostExamples = 8;  // fewer of large samples, at least 1

struct TrainOutcome {
  bool interrupted = false;  // by the stop flag; then there are no test figures and no model
  TrainSummary summary;
  std::vector<EpochResult> epochs;
  std::int64_t best_epoch =
      0;  // whose weights are exported: highest validation accuracy, then lowest loss
  std::optional<Evaluation> test;  // of the exported weights in float32
  double images_per_second = 0;    // training only, over all epochs
  std::string spec_sha256;
  std::string data_sha256;
  Tensor examples;  // the first test samples as the model takes them, at most kMostExamples
  std::optional<Model> model;  // with the contract in its metadata where the input is an image
};

/// Throws what load_train_data, build_graph and Network throw; Error{kFailedPrecondition} naming
/// epoch and batch when the loss is no number any more, and when a checkpoint is of another spec or
/// other data; Error{kDataLoss} for a damaged one.
TrainOutcome train(const TrainSpec& spec, const TrainOptions& options, TrainObserver& observer);

}  // namespace onnxop
