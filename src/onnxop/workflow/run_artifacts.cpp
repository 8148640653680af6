#include "onnxop/workflow/run_artifacts.h"

#include <string_view>

#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

struct Curve {
  std::string_view path;
  std::string_view title;
  std::string_view x_label;
  std::vector<std::string> metrics;
};

Series series_of(const Runs& runs, const std::string& run_id, const std::string& key) {
  Series series{key, {}};
  for (const Metric& metric : runs.metric_history(run_id, key)) {
    series.points.push_back({static_cast<double>(metric.step), metric.value});
  }
  return series;
}

}  // namespace

std::vector<RunFile> curve_artifacts(const Registry& registry, const std::string& run_id) {
  const std::vector<Curve> curves{
      {"curves/loss.svg", "Loss", "epoch", {"train_loss", "val_loss"}},
      {"curves/accuracy.svg", "Accuracy", "epoch", {"train_accuracy", "val_accuracy"}},
      {"curves/batch_loss.svg", "Loss of each batch", "step", {"batch_loss"}}};
  std::vector<RunFile> artifacts;
  for (const Curve& curve : curves) {
    LineChart chart{std::string(curve.title), std::string(curve.x_label), "", {}};
    for (const std::string& key : curve.metrics) {
      Series series = series_of(registry.runs(), run_id, key);
      if (!series.points.empty()) {
        chart.series.push_back(std::move(series));
      }
    }
    if (!chart.series.empty()) {
      artifacts.push_back({std::string(curve.path), chart_svg(chart), {}});
    }
  }
  return artifacts;
}

std::vector<RunFile> confusion_artifacts(const Evaluation& test) {
  if (test.confusion.empty()) {
    return {};
  }
  ConfusionMatrix matrix{"Confusion matrix of the test samples", {}, test.confusion};
  for (const ClassScore& score : test.classes) {
    matrix.labels.push_back(score.label);
  }
  const Json json{{"labels", matrix.labels}, {"counts", matrix.counts}};
  return {{std::string(kConfusionJsonArtifact), dump_json(json) + "\n", {}},
          {std::string(kConfusionSvgArtifact), chart_svg(matrix, {640, 640, 1}), {}}};
}

void put_run_file(Registry& registry, const Run& run, const RunFile& file) {
  const std::string path = run_artifact_root(run) + "/" + file.path;
  if (file.file.empty()) {
    registry.artifacts().put(path, as_bytes(file.content));
  } else {
    registry.artifacts().put_copy(path, file.file);
  }
}

}  // namespace onnxop
