#include "onnxop/workflow/train_publish.h"

#include <algorithm>
#include <cmath>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/sha256.h"
#include "onnxop/onnx/description_json.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/ort_scorer.h"
#include "onnxop/serving/golden.h"
#include "onnxop/workflow/run_artifacts.h"

namespace onnxop {
namespace {

/// Each example by itself, with what ONNX Runtime answers.
GoldenSamples golden_samples(Scorer& scorer, const Tensor& examples) {
  Shape shape = examples.shape();
  const auto count = static_cast<std::size_t>(shape.front());
  const std::size_t size = examples.bytes().size() / count;
  shape.front() = 1;
  std::vector<std::vector<NamedTensor>> inputs(count);
  for (std::size_t i = 0; i < count; ++i) {
    inputs[i].push_back({scorer.inputs().front().name, Tensor(examples.dtype(), shape)});
    std::ranges::copy(examples.bytes().subspan(i * size, size),
                      inputs[i].front().tensor.bytes().begin());
  }
  GoldenSamples golden = make_golden(scorer, std::move(inputs));
  double largest = 1;
  for (const GoldenSample& sample : golden.samples) {
    for (const float value : sample.outputs.front().tensor.values<float>()) {
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
  }
  golden.tolerance *= largest;
  return golden;
}

/// The version that this run published already: before it was interrupted, or before the answer to
/// it was lost.
std::optional<ModelVersion> published_version(const Models& models, const NewVersion& version) {
  const std::string sha256 = sha256_file(version.model_file);
  try {
    for (const ModelVersion& one : models.versions(version.name)) {
      if (one.run_id == version.run_id && one.sha256 == sha256) {
        return one;
      }
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
  }
  return std::nullopt;
}

}  // namespace

std::filesystem::path write_trained_model(const TrainOutcome& outcome,
                                          const std::filesystem::path& folder) {
  const auto path = folder / "model.onnx";
  write_file_atomically(path, serialize_model(*outcome.model));
  check_model(path);
  const auto scorer = load_ort_scorer(path);
  write_golden(folder / kGoldenFile, golden_samples(*scorer, outcome.examples));
  return path;
}

std::vector<RunFile> model_files(const std::filesystem::path& model) {
  const Json inspection = description_json("model.onnx", describe_model(model));
  return {{std::string(kInspectionArtifact), dump_json_pretty(inspection) + "\n", {}},
          {std::string(kGoldenArtifact), {}, model.parent_path() / kGoldenFile},
          {std::string(kModelArtifact), {}, model}};
}

ModelVersion publish_trained_model(Registry& registry, const TrainOutcome& outcome,
                                   const std::string& run_id, const std::string& name,
                                   const std::filesystem::path& model) {
  NewVersion version{.name = name,
                     .model_file = model,
                     .companions = {kGoldenFile},
                     .run_id = run_id,
                     .source = "run " + run_id,
                     .metrics = {{"test_loss", outcome.test->loss}}};
  if (outcome.test->accuracy) {
    version.metrics["test_accuracy"] = *outcome.test->accuracy;
  }
  const auto contract = outcome.model->metadata.find(std::string(kContractKey));
  if (contract != outcome.model->metadata.end()) {
    version.contract = contract->second;
  }
  if (auto published = published_version(registry.models(), version)) {
    return *published;
  }
  return registry.models().publish(version);
}

}  // namespace onnxop
