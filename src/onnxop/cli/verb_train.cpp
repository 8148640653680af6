#include <atomic>
#include <csignal>
#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/log.h"
#include "onnxop/cli/train_progress.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/workflow/train_run.h"

namespace onnxop {
namespace {

struct Options {
  std::string spec;
  std::vector<std::string> overrides;
  std::string register_name;
  std::string experiment;
  OnTrackingError on_tracking_error = OnTrackingError::kContinue;
  std::string resume;
  std::string run_id_file;
  bool json = false;
};

std::atomic<bool> stop_requested = false;

/// The first signal ends the training after its batch, the second the process.
void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_requested = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

Json optional_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json result_json(const TrainRunResult& result) {
  Json epochs = Json::array();
  for (const auto& epoch : result.outcome.epochs) {
    epochs.push_back({{"epoch", epoch.epoch},
                      {"train_loss", epoch.train_loss},
                      {"train_accuracy", optional_json(epoch.train_accuracy)},
                      {"val_loss", epoch.val_loss},
                      {"val_accuracy", optional_json(epoch.val_accuracy)},
                      {"learning_rate", epoch.learning_rate},
                      {"seconds", epoch.seconds}});
  }
  return {{"run_id", result.run_id},
          {"model", result.version.name},
          {"version", result.version.version},
          {"model_path", result.version.model_path.string()},
          {"epochs", epochs},
          {"best_epoch", result.outcome.best_epoch},
          {"test_loss", result.outcome.test->loss},
          {"test_accuracy", optional_json(result.outcome.test->accuracy)},
          {"images_per_second", result.outcome.images_per_second},
          {"tracking_problems", result.tracking_problems}};
}

std::string result_text(const TrainRunResult& result) {
  const Evaluation& test = *result.outcome.test;
  std::vector<std::vector<std::string>> rows{
      {"run", result.run_id},
      {"model", format("{} version {}", result.version.name, result.version.version)},
      {"file", result.version.model_path.string()},
      {"best epoch", format("{} of {}", result.outcome.best_epoch, result.outcome.epochs.size())},
      {"test loss", format("{:.5f}", test.loss)}};
  if (test.accuracy) {
    rows.push_back({"test accuracy", format("{:.2f} %", 100 * *test.accuracy)});
  }
  rows.push_back({"images/s", format("{:.0f}", result.outcome.images_per_second)});
  return table_text(rows);
}

TrainRunResult run(const Options& options, const CliContext& context) {
  const SystemClock clock;
  TrainProgress progress;
  const TrainRunOptions run_options{.model_name = options.register_name,
                                    .experiment = options.experiment,
                                    .source = options.spec,
                                    .stop = &stop_requested,
                                    .producer_version = ONNXOP_VERSION,
                                    .on_tracking_error = options.on_tracking_error,
                                    .on_run = [&](const std::string& run_id) {
                                      if (!options.run_id_file.empty()) {
                                        write_file_atomically(options.run_id_file,
                                                              as_bytes(run_id));
                                      }
                                    }};
  if (!options.resume.empty()) {
    Registry registry(context.store, clock, /*must_exist=*/true);
    return resume_training(options.resume, registry, run_options, progress);
  }
  const TrainSpec spec = load_spec(options.spec, options.overrides);
  Registry registry(context.store, clock);
  for (const Run& interrupted : registry.runs().mark_interrupted()) {
    log_warning("run {} was interrupted; it can be resumed: onnxop train --resume {}",
                interrupted.run_id, interrupted.run_id);
  }
  return start_training(spec, registry, run_options, progress);
}

}  // namespace

VerbAction declare_train(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command,
              "onnxop train examples/mnist.yaml --set train.epochs=3 --register mnist\n"
              "  onnxop train examples/mnist.yaml --experiment digits --on-tracking-error stop\n"
              "  onnxop train --resume 3f2a91c0");
  command.add_option("SPEC", options->spec, "The experiment's YAML file (docs/spec.md)");
  command.add_option("--set", options->overrides, "Override one value of the spec: KEY=VALUE")
      ->allow_extra_args(false);
  command.add_option("--register", options->register_name,
                     "Name to register the model under (default: the spec's)");
  command.add_option("--resume", options->resume,
                     "Go on with an interrupted run: its id or first digits");
  command.add_option("--experiment", options->experiment,
                     "The experiment that the run belongs to, made where it is not there "
                     "(default: Default)");
  const std::map<std::string, OnTrackingError> on_error{{"continue", OnTrackingError::kContinue},
                                                        {"stop", OnTrackingError::kStop}};
  command
      .add_option("--on-tracking-error", options->on_tracking_error,
                  "What to do when the store cannot be written while the training goes on: "
                  "continue, keep what is measured, write it when the store is back (default), or "
                  "stop (docs/tracking.md)")
      ->transform(CLI::CheckedTransformer(on_error, CLI::ignore_case))
      ->option_text("continue|stop");
  command.add_option("--run-id-file", options->run_id_file,
                     "Write the run's id to this file as soon as it is known");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    if (options->spec.empty() == options->resume.empty()) {
      throw UsageError("either SPEC or --resume RUN is needed");
    }
    if (!options->resume.empty() && !options->overrides.empty()) {
      throw UsageError(
          "--set does not go with --resume: a run goes on with the spec that it was started with");
    }
    stop_on_signals();
    const TrainRunResult result = run(*options, context);
    if (result.outcome.interrupted) {
      fail(ErrorCode::kUnavailable, "interrupted; to go on: onnxop train --resume {}",
           result.run_id);
    }
    if (options->json) {
      print_json(result_json(result));
    } else {
      print_text(result_text(result));
    }
  };
}

}  // namespace onnxop
