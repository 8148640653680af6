#pragma once
// The files that a training leaves among its run's artifacts, made of plain values.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/base/json.h"
#include "onnxop/plot/chart.h"
#include "onnxop/registry/registry.h"
#include "onnxop/train/evaluate.h"

namespace onnxop {

// Paths below the run's artifacts.
inline constexpr std::string_view kSpecArtifact = "spec.json";
inline constexpr std::string_view kConfusionJsonArtifact = "confusion_matrix.json";
inline constexpr std::string_view kConfusionSvgArtifact = "confusion_matrix.svg";
inline constexpr std::string_view kModelArtifact = "model/model.onnx";
inline constexpr std::string_view kInspectionArtifact = "model/inspection.json";
inline constexpr std::string_view kGoldenArtifact = "model/golden.json";

/// An artifact to be: what it holds, or the file that does.
struct RunFile {
  std::string path;
  std::string content;
  std::filesystem::path file;  // "": `content`
};

/// "curves/loss.svg", "curves/accuracy.svg" and "curves/batch_loss.svg", as far as the run has the
/// metrics.
std::vector<RunFile> curve_artifacts(const Registry& registry, const std::string& run_id);

/// {"labels": […], "counts": [[…]]}, a row for each true class, and the same as a picture. None
/// where there is no confusion matrix: regression.
std::vector<RunFile> confusion_artifacts(const Evaluation& test);

/// Puts it below the run's artifacts.
void put_run_file(Registry& registry, const Run& run, const RunFile& file);

}  // namespace onnxop
