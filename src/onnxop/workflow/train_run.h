#pragma once
// A training as a run of the store: tracked while it goes, exported and registered at its end,
// resumable in between.

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "onnxop/registry/registry.h"
#include "onnxop/train/trainer.h"

namespace onnxop {

struct TrainRunOptions {
  std::string model_name;                   // to register under; empty: the spec's name
  const std::atomic<bool>* stop = nullptr;  // ends the training between two batches
  std::string producer_version;             // of this program
  std::function<void(const std::string& run_id)>
      on_run;  // told once the run is in the store; may be empty
};

struct TrainRunResult {
  std::string run_id;
  TrainOutcome outcome;  // if interrupted, there is no version
  ModelVersion version;
};

/// A new run of `spec`. The run's folder gets the spec (with all defaults), a checkpoint after each
/// epoch, the exported model and its golden samples; parameters and metrics go to the store as they
/// come. A failure marks the run FAILED, the stop flag KILLED. Throws what train() and Registry
/// throw.
TrainRunResult start_training(const TrainSpec& spec, Registry& registry,
                              const TrainRunOptions& options, TrainObserver& observer);

/// Goes on with a run that has not finished, from its last finished epoch, with the spec that it
/// was started with. Throws Error{kNotFound} for a run that is not there, {kFailedPrecondition} for
/// one that has finished or that a living process trains.
TrainRunResult resume_training(std::string_view reference, Registry& registry,
                               const TrainRunOptions& options, TrainObserver& observer);

}  // namespace onnxop
