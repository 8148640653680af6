#pragma once
// A training as a run of the store: tracked while it goes, exported and registered at its end,
// resumable in between.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "onnxop/registry/registry.h"
#include "onnxop/train/trainer.h"
#include "onnxop/workflow/run_tracker.h"

namespace onnxop {

struct TrainRunOptions {
  std::string model_name = {};              // to register under; empty: the spec's name
  std::string experiment = {};              // made if it is not there; empty: the default one
  std::string source = {};                  // the spec's file, as it was named
  const std::atomic<bool>* stop = nullptr;  // ends the training between two batches
  std::string producer_version = {};        // of this program
  OnTrackingError on_tracking_error = OnTrackingError::kContinue;
  std::chrono::milliseconds retry_pause{1000};  // between attempts to write, when a write failed
  std::function<void(const std::string& run_id)> on_run =
      {};  // told once the run is in the store; may be empty
};

struct TrainRunResult {
  std::string run_id;
  TrainOutcome outcome;  // if interrupted, there is no version
  ModelVersion version;
  std::vector<std::string> tracking_problems;  // what the run lacks, and why
};

/// A new run of `spec`. The run's folder gets the spec (with all defaults) and a checkpoint after
/// each epoch; the store gets parameters, tags, the data sets' hashes, points of metrics as they
/// come, and at the end the artifacts and the version. A failure marks the run FAILED, the stop
/// flag KILLED. Throws what train() and Registry throw; under kContinue not what goes wrong while
/// the training goes on, and what goes wrong at its end only when it does so several times.
TrainRunResult start_training(const TrainSpec& spec, Registry& registry,
                              const TrainRunOptions& options, TrainObserver& observer);

/// Goes on with a run that has not finished, from its last finished epoch, with the spec that it
/// was started with. Throws Error{kNotFound} for a run that is not there, {kFailedPrecondition} for
/// one that has finished or that a living process trains.
TrainRunResult resume_training(std::string_view reference, Registry& registry,
                               const TrainRunOptions& options, TrainObserver& observer);

}  // namespace onnxop
