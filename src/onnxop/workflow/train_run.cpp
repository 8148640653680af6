#include "onnxop/workflow/train_run.h"

#include <algorithm>
#include <map>
#include <set>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/log.h"
#include "onnxop/serving/golden.h"
#include "onnxop/workflow/retried_store.h"
#include "onnxop/workflow/run_artifacts.h"
#include "onnxop/workflow/system_metrics.h"
#include "onnxop/workflow/train_publish.h"
#include "onnxop/workflow/train_tracking.h"
#include "onnxop/workflow/unwritten_points.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSpecName = "spec.json";
constexpr int kTries = 5;  // of a write at the end, after the first one failed

/// The last step of each metric.
std::map<std::string, std::int64_t> last_steps(const Run& run) {
  std::map<std::string, std::int64_t> steps;
  for (const auto& [key, metric] : run.metrics) {
    steps[key] = metric.step;
  }
  return steps;
}

/// One start of a run's training, from the first batch to the version.
class TrackedTraining {
 public:
  TrackedTraining(const TrainSpec& spec, const Run& run, std::string model_name, Registry& registry,
                  const TrainRunOptions& options)
      : spec_(spec),
        run_(run),
        model_name_(std::move(model_name)),
        registry_(registry),
        options_(options),
        folder_(registry.runs().dir(run.run_id)),
        store_(registry, continues() ? kTries : 0, options.retry_pause),
        tracker_(store_sink(registry.location(), run.run_id), tracker_options()) {}

  TrainRunResult run(bool resume, TrainObserver& observer) {
    TrainRunResult result{run_.run_id, {}, {}, {}};
    try {
      result.outcome = train_tracked(resume, observer);
      if (result.outcome.interrupted) {
        break_off(RunStatus::kKilled);
      } else {
        result.version = complete(result.outcome);
      }
    } catch (...) {
      break_off(RunStatus::kFailed);
      say_problems();
      throw;
    }
    say_problems();
    result.tracking_problems = std::move(problems_);
    return result;
  }

 private:
  bool continues() const { return options_.on_tracking_error == OnTrackingError::kContinue; }

  TrackerOptions tracker_options() const {
    TrackerOptions options;
    options.on_error = options_.on_tracking_error;
    options.last_steps = last_steps(run_);
    options.first_pause = options_.retry_pause;
    options.last_tries = kTries;
    std::int64_t sampled = 0;  // before this start
    for (const auto& [key, step] : options.last_steps) {
      sampled = key.starts_with("system/") ? std::max(sampled, step) : sampled;
    }
    options.sample = [metrics = SystemMetrics(), sampled](std::int64_t step) mutable {
      return metrics.sample(sampled + step, tracking_time());
    };
    return options;
  }

  TrainOutcome train_tracked(bool resume, TrainObserver& observer) {
    if (resume) {
      tracker_.log(load_unwritten_points(folder_));
    }
    const auto log_inputs = [this](const TrainSummary& summary) {
      inputs_ = dataset_inputs(spec_.data, summary);
      try {
        write_inputs(registry_);
      } catch (const Error&) {
        if (!continues()) {
          throw;
        }
        // The end tries again.
      }
    };
    TrackingObserver tracking(tracker_, log_inputs, observer);
    TrainOptions options{.data_dir = {},
                         .checkpoint_dir = folder_,
                         .resume = resume,
                         .stop = options_.stop,
                         .threads = 0,
                         .clock = nullptr,
                         .producer_version = options_.producer_version,
                         .on_checkpoint_error = {}};
    if (continues()) {
      options.on_checkpoint_error = [](const Error& error) {
        log_warning("{}; the training goes on, to resume it would begin at an earlier epoch",
                    error.what());
      };
    }
    return train(spec_, options, tracking);
  }

  void write_inputs(Registry& registry) {
    if (!inputs_.empty()) {
      registry.runs().log_inputs(run_.run_id, inputs_);
      inputs_.clear();
    }
  }

  /// What stands behind the training: the points that are left, artifacts, the version.
  ModelVersion complete(const TrainOutcome& outcome) {
    const fs::path model = write_trained_model(outcome, folder_);
    tracker_.log(result_points(outcome));
    finish_points();
    if (!continues() && !rest_.error.empty()) {
      fail(ErrorCode::kUnavailable, "tracking: metrics could not be written: {}", rest_.error);
    }
    attempt("the data sets", [&](Registry& registry) { write_inputs(registry); });
    put_files("curves", [&](Registry& open) { return curve_artifacts(open, run_.run_id); });
    put_files("confusion matrix", [&](Registry&) { return confusion_artifacts(*outcome.test); });
    put_files("model", [&](Registry&) { return model_files(model); });
    try {
      ModelVersion version = store_.with([&](Registry& registry) {
        return publish_trained_model(registry, outcome, run_.run_id, model_name_, model);
      });
      write_rest();
      store_.with(
          [&](Registry& registry) { registry.runs().end(run_.run_id, RunStatus::kFinished); });
      remove_files(model);
      return version;
    } catch (const Error& error) {
      fail(error.code(),
           "the training is finished, but its model could not be registered: {}; the model is {}; "
           "to register it: onnxop train --resume {}",
           error.what(), model.string(), run_.run_id);
    }
  }

  /// They lie among the artifacts and with the version.
  void remove_files(const fs::path& model) const {
    std::error_code error;
    fs::remove(model, error);
    fs::remove(folder_ / kGoldenFile, error);
  }

  /// The training ends early. Throws nothing: there may be an error on its way already. A run that
  /// cannot be marked is RUNNING until the next program finds that nobody runs it.
  void break_off(RunStatus status) {
    finish_points();
    try {
      attempt("the data sets", [&](Registry& registry) { write_inputs(registry); });
      put_files("curves", [&](Registry& open) { return curve_artifacts(open, run_.run_id); });
    } catch (const Error& error) {
      missing_[error.what()].emplace("artifacts");
    }
    try {
      store_.with([&](Registry& registry) { registry.runs().end(run_.run_id, status); });
    } catch (const Error& error) {
      problems_.push_back(
          format("it could not be marked {}: {}", run_status_name(status), error.what()));
    }
    save_rest();
  }

  /// Under kContinue a failure is a problem to be said, and nothing else is tried on a database
  /// that is away.
  template <typename Action>
  void attempt(std::string_view what, const Action& action) {
    try {
      if (!away_.empty()) {
        fail(ErrorCode::kUnavailable, "{}", away_);
      }
      store_.with(action);
    } catch (const Error& error) {
      if (!continues()) {
        throw;
      }
      away_ = error.code() == ErrorCode::kUnavailable ? error.what() : "";
      missing_[error.what()].emplace(what);
    }
  }

  template <typename Files>
  void put_files(std::string_view what, const Files& files) {
    std::vector<RunFile> made;
    attempt(what, [&](Registry& registry) { made = files(registry); });
    for (const RunFile& file : made) {
      attempt(file.path, [&](Registry& registry) { put_run_file(registry, run_, file); });
    }
  }

  void finish_points() {
    if (!points_finished_) {
      points_finished_ = true;
      rest_ = tracker_.finish();
      if (rest_.lost > 0) {
        problems_.push_back(
            format("{} points of metrics were lost: there was no room to keep them", rest_.lost));
      }
      if (rest_.points.empty()) {
        remove_unwritten_points(folder_);
      }
    }
  }

  /// Once more: the version could be written.
  void write_rest() {
    if (rest_.points.empty()) {
      return;
    }
    try {
      store_sink(registry_.location(), run_.run_id)->write(rest_.points);
      rest_.points.clear();
      remove_unwritten_points(folder_);
    } catch (const Error& error) {
      rest_.error = error.what();
      problems_.push_back(format("{} points of metrics could not be written and are lost: {}",
                                 rest_.points.size(), error.what()));
    }
  }

  /// For when the run is resumed.
  void save_rest() {
    if (rest_.points.empty()) {
      return;
    }
    std::string fate = format("onnxop train --resume {} writes them", run_.run_id);
    try {
      save_unwritten_points(folder_, rest_.points);
    } catch (const Error& error) {
      fate = format("they are lost: {}", error.what());
    }
    problems_.push_back(format("{} points of metrics could not be written: {}; {}",
                               rest_.points.size(), rest_.error, fate));
  }

  void say_problems() {
    for (const auto& [why, what] : missing_) {
      problems_.push_back(format("could not be written: {}: {}", join(what, ", "), why));
    }
    for (const std::string& problem : problems_) {
      log_warning("tracking: run {}: {}", run_.run_id, problem);
    }
  }

  const TrainSpec& spec_;
  const Run& run_;
  std::string model_name_;
  Registry& registry_;
  const TrainRunOptions& options_;
  fs::path folder_;
  RetriedStore store_;
  RunTracker tracker_;
  std::vector<DatasetInput> inputs_;  // not yet written
  bool points_finished_ = false;
  RunTracker::Rest rest_;
  std::string away_;                                      // why the database is; "": it is not
  std::map<std::string, std::set<std::string>> missing_;  // by reason
  std::vector<std::string> problems_;
};

/// What is known of the run before it starts.
Run describe_run(const Json& spec, const std::string& run_id, Registry& registry) {
  const std::string text = dump_json_pretty(spec) + "\n";
  write_file_atomically(registry.runs().dir(run_id) / kSpecName, as_bytes(text));
  registry.runs().log_params(run_id, spec_params(spec));
  const Run run = registry.runs().get(run_id);
  put_run_file(registry, run, {std::string(kSpecArtifact), text, {}});
  return run;
}

}  // namespace

TrainRunResult start_training(const TrainSpec& spec, Registry& registry,
                              const TrainRunOptions& options, TrainObserver& observer) {
  const std::string name = options.model_name.empty() ? spec.name : options.model_name;
  const Json json = spec_to_json(spec);
  Texts tags = origin_tags(options.source, fs::current_path());
  tags[std::string(kModelTag)] = name;
  NewRun run{.name = spec.name, .user_id = tags["mlflow.user"], .tags = std::move(tags)};
  if (!options.experiment.empty()) {
    run.experiment_id = registry.experiments().get_or_create(options.experiment);
  }
  const std::string run_id = registry.runs().create(run);
  Run created;
  try {
    created = describe_run(json, run_id, registry);
  } catch (const Error&) {
    registry.runs().end(run_id, RunStatus::kFailed);
    throw;
  }
  if (options.on_run) {
    options.on_run(run_id);
  }
  return TrackedTraining(spec, created, name, registry, options).run(/*resume=*/false, observer);
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
  if (options.on_run) {
    options.on_run(run.run_id);
  }
  return TrackedTraining(spec, run, name, registry, options).run(/*resume=*/true, observer);
}

}  // namespace onnxop
