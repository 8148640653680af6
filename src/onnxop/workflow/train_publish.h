#pragma once
// From a finished training to a version of a model: the file with its golden samples, checked, and
// published.

#include <filesystem>
#include <string>
#include <vector>

#include "onnxop/registry/registry.h"
#include "onnxop/train/trainer.h"
#include "onnxop/workflow/run_artifacts.h"

namespace onnxop {

/// Writes model.onnx and golden.json into `folder`, and makes sure that the checker and the engine
/// take the model. -> the model's path.
std::filesystem::path write_trained_model(const TrainOutcome& outcome,
                                          const std::filesystem::path& folder);

/// The model, its inspection and its golden samples as artifacts of its run.
std::vector<RunFile> model_files(const std::filesystem::path& model);

/// The next version of `name`; the one that the run made before of the same bytes, if it did.
ModelVersion publish_trained_model(Registry& registry, const TrainOutcome& outcome,
                                   const std::string& run_id, const std::string& name,
                                   const std::filesystem::path& model);

}  // namespace onnxop
