#pragma once
// What of a training becomes tags, parameters, data sets and points of its run.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "onnxop/base/json.h"
#include "onnxop/train/trainer.h"
#include "onnxop/workflow/run_tracker.h"

namespace onnxop {

inline constexpr std::string_view kModelTag = "onnxop.model";  // the name to register under

/// Nested keys joined with dots: "train.optimizer.Adam.learning_rate".
Texts spec_params(const Json& spec);

/// MLflow's tags of where a run comes from; `source` is the spec's file as it was named.
Texts origin_tags(const std::string& source, const std::filesystem::path& working_folder);

/// The data that a training used, with their hashes.
std::vector<DatasetInput> dataset_inputs(const DataSpec& data, const TrainSummary& summary);

/// Figures of the trained model.
std::vector<Metric> result_points(const TrainOutcome& outcome);

/// Passes progress on to `next`, and figures to the tracker: of each batch and each epoch, of
/// epochs before this start too.
class TrackingObserver : public TrainObserver {
 public:
  TrackingObserver(RunTracker& tracker, std::function<void(const TrainSummary&)> on_summary,
                   TrainObserver& next)
      : tracker_(tracker), on_summary_(std::move(on_summary)), next_(next) {}

  void on_start(const TrainSummary& summary) override;
  void on_batch(const BatchProgress& progress) override;
  void on_epoch(const EpochResult& epoch) override;
  void on_test_outputs(std::span<const float> outputs) override { next_.on_test_outputs(outputs); }

 private:
  RunTracker& tracker_;
  std::function<void(const TrainSummary&)> on_summary_;
  TrainObserver& next_;
};

/// Milliseconds since 1970 UTC.
std::int64_t tracking_time();

}  // namespace onnxop
