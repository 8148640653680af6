#include "onnxop/workflow/train_run.h"

#include <algorithm>
#include <cmath>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/ort_scorer.h"
#include "onnxop/serving/golden.h"

namespace onnxop {
namespace {

constexpr std::string_view kSpecName = "spec.json";
constexpr std::string_view kModelName = "model.onnx";
constexpr std::string_view kModelTag = "onnxop.model";

/// Nested keys joined with dots: "train.optimizer.Adam.learning_rate".
void flatten(const Json& value, const std::string& prefix,
             std::map<std::string, std::string>& params) {
  if (value.is_structured() && !value.empty()) {
    for (const auto& [key, child] : value.items()) {
      flatten(child, prefix.empty() ? key : prefix + "." + key, params);
    }
  } else {
    params[prefix] = value.is_string() ? value.get<std::string>() : dump_json(value);
  }
}

/// Passes progress on, and each epoch's figures into the store.
class TrackingObserver : public TrainObserver {
 public:
  TrackingObserver(Registry& registry, std::string run_id, TrainObserver& next)
      : registry_(registry), run_id_(std::move(run_id)), next_(next) {}

  void on_start(const TrainSummary& summary) override { next_.on_start(summary); }
  void on_batch(const BatchProgress& progress) override { next_.on_batch(progress); }
  void on_epoch(const EpochResult& epoch) override {
    std::vector<Metric> metrics;
    const auto add = [&](std::string key, double value) {
      metrics.push_back({std::move(key), value, now(), epoch.epoch});
    };
    add("train_loss", epoch.train_loss);
    add("val_loss", epoch.val_loss);
    if (epoch.train_accuracy) {
      add("train_accuracy", *epoch.train_accuracy);
    }
    if (epoch.val_accuracy) {
      add("val_accuracy", *epoch.val_accuracy);
    }
    add("learning_rate", epoch.learning_rate);
    add("epoch_seconds", epoch.seconds);
    registry_.runs().log_metrics(run_id_, metrics);
    next_.on_epoch(epoch);
  }

  static std::int64_t now() { return to_unix_ms(SystemClock().wall()); }

 private:
  Registry& registry_;
  std::string run_id_;
  TrainObserver& next_;
};

void log_result(Registry& registry, const std::string& run_id, const TrainOutcome& outcome) {
  std::vector<Metric> metrics;
  const auto add = [&](std::string key, double value) {
    metrics.push_back({std::move(key), value, TrackingObserver::now(), outcome.best_epoch});
  };
  add("test_loss", outcome.test->loss);
  if (outcome.test->accuracy) {
    add("test_accuracy", *outcome.test->accuracy);
  }
  add("images_per_second", outcome.images_per_second);
  registry.runs().log_metrics(run_id, metrics);
}

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

/// Writes the model into the run's folder, makes sure that the checker and the engine take it, and
/// publishes it with golden samples.
ModelVersion publish(Registry& registry, const std::string& run_id, const TrainOutcome& outcome,
                     const std::string& name) {
  const auto path = registry.runs().dir(run_id) / kModelName;
  write_file_atomically(path, serialize_model(*outcome.model));
  check_model(path);
  const auto scorer = load_ort_scorer(path);
  write_golden(path.parent_path() / kGoldenFile, golden_samples(*scorer, outcome.examples));
  return registry.models().publish({.name = name,
                                    .model_file = path,
                                    .companions = {kGoldenFile},
                                    .run_id = run_id,
                                    .source = "run " + run_id});
}

TrainRunResult run_training(const TrainSpec& spec, const std::string& run_id, bool resume,
                            Registry& registry, const TrainRunOptions& options,
                            const std::string& name, TrainObserver& observer) {
  if (options.on_run) {
    options.on_run(run_id);
  }
  try {
    TrackingObserver tracking(registry, run_id, observer);
    TrainRunResult result{run_id, {}, {}};
    result.outcome = train(spec,
                           {.data_dir = {},
                            .checkpoint_dir = registry.runs().dir(run_id),
                            .resume = resume,
                            .stop = options.stop,
                            .threads = 0,
                            .clock = nullptr,
                            .producer_version = options.producer_version},
                           tracking);
    if (result.outcome.interrupted) {
      registry.runs().end(run_id, RunStatus::kKilled);
      return result;
    }
    log_result(registry, run_id, result.outcome);
    result.version = publish(registry, run_id, result.outcome, name);
    registry.runs().end(run_id, RunStatus::kFinished);
    return result;
  } catch (...) {
    registry.runs().end(run_id, RunStatus::kFailed);
    throw;
  }
}

}  // namespace

TrainRunResult start_training(const TrainSpec& spec, Registry& registry,
                              const TrainRunOptions& options, TrainObserver& observer) {
  const std::string name = options.model_name.empty() ? spec.name : options.model_name;
  const Json json = spec_to_json(spec);
  std::map<std::string, std::string> params;
  flatten(json, "", params);
  const std::string run_id = registry.runs().create({.name = spec.name});
  write_file_atomically(registry.runs().dir(run_id) / kSpecName,
                        as_bytes(dump_json_pretty(json) + "\n"));
  registry.runs().log_params(run_id, params);
  registry.runs().set_tag(run_id, kModelTag, name);
  return run_training(spec, run_id, /*resume=*/false, registry, options, name, observer);
}

TrainRunResult resume_training(std::string_view reference, Registry& registry,
                               const TrainRunOptions& options, TrainObserver& observer) {
  registry.runs().mark_interrupted();
  const Run run = registry.runs().get(reference);
  if (run.status == RunStatus::kFinished || run.status == RunStatus::kRunning) {
    fail(ErrorCode::kFailedPrecondition,
         "run {} is {}, only one that is KILLED or FAILED can be resumed", run.run_id,
         run_status_name(run.status));
  }
  const TrainSpec spec = load_spec(registry.runs().dir(run.run_id) / kSpecName);
  const auto tag = run.tags.find(std::string(kModelTag));
  const std::string name = !options.model_name.empty() ? options.model_name
                           : tag != run.tags.end()     ? tag->second
                                                       : spec.name;
  registry.runs().reopen(run.run_id);
  return run_training(spec, run.run_id, /*resume=*/true, registry, options, name, observer);
}

}  // namespace onnxop
