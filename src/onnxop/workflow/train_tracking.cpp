#include "onnxop/workflow/train_tracking.h"

#include "onnxop/base/json_value.h"
#include "onnxop/data/mnist.h"
#include "onnxop/workflow/run_origin.h"

namespace onnxop {
namespace {

void flatten(const Json& value, const std::string& prefix, Texts& params) {
  if (value.is_structured() && !value.empty()) {
    for (const auto& [key, child] : value.items()) {
      flatten(child, prefix.empty() ? key : prefix + "." + key, params);
    }
  } else {
    params[prefix] = value.is_string() ? value.get<std::string>() : dump_json(value);
  }
}

DatasetInput dataset_input(const std::filesystem::path& source, const std::string& name,
                           const std::string& sha256, std::int64_t samples,
                           const std::string& context) {
  constexpr std::size_t kDigest = 32;  // MLflow takes 36 characters
  DatasetInput input;
  input.dataset.name = name;
  input.dataset.digest = sha256.substr(0, kDigest);
  input.dataset.source_type = "local";
  input.dataset.source = dump_json({{"uri", source.string()}});
  input.dataset.profile = dump_json({{"num_rows", samples}, {"sha256", sha256}});
  input.tags = {{"mlflow.data.context", context}};
  return input;
}

std::vector<Metric> epoch_points(const EpochResult& epoch) {
  std::vector<Metric> points;
  const auto add = [&, time = tracking_time()](std::string key, double value) {
    points.push_back({std::move(key), value, time, epoch.epoch});
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
  return points;
}

}  // namespace

std::int64_t tracking_time() {
  return to_unix_ms(SystemClock().wall());
}

Texts spec_params(const Json& spec) {
  Texts params;
  flatten(spec, "", params);
  return params;
}

Texts origin_tags(const std::string& source, const std::filesystem::path& working_folder) {
  Texts tags{{"mlflow.user", current_user()},
             {"mlflow.source.name", source},
             {"mlflow.source.type", "LOCAL"}};
  if (std::string commit = git_commit(working_folder); !commit.empty()) {
    tags["mlflow.source.git.commit"] = std::move(commit);
  }
  return tags;
}

std::vector<DatasetInput> dataset_inputs(const DataSpec& data, const TrainSummary& summary) {
  const bool mnist = data.kind == DataKind::kMnist;
  const std::filesystem::path train = mnist ? default_data_dir() : data.train_images;
  const std::filesystem::path test = mnist ? default_data_dir() : data.test_images;
  const auto name = [&](const std::filesystem::path& path) {
    return mnist ? std::string("mnist") : path.filename().string();
  };
  return {dataset_input(train, name(train), summary.train_sha256,
                        summary.training_samples + summary.validation_samples, "training"),
          dataset_input(test, name(test), summary.test_sha256, summary.test_samples, "test")};
}

std::vector<Metric> result_points(const TrainOutcome& outcome) {
  std::vector<Metric> points;
  const auto add = [&, time = tracking_time()](std::string key, double value) {
    points.push_back({std::move(key), value, time, outcome.best_epoch});
  };
  add("test_loss", outcome.test->loss);
  if (outcome.test->accuracy) {
    add("test_accuracy", *outcome.test->accuracy);
  }
  add("images_per_second", outcome.images_per_second);
  return points;
}

void TrackingObserver::on_start(const TrainSummary& summary) {
  next_.on_start(summary);
  on_summary_(summary);
  for (const EpochResult& epoch : summary.finished) {
    tracker_.log(epoch_points(epoch));
  }
}

void TrackingObserver::on_batch(const BatchProgress& progress) {
  if (tracker_.wants_step(progress.step)) {
    const std::int64_t time = tracking_time();
    std::vector<Metric> points{
        {"batch_loss", progress.batch_loss, time, progress.step},
        {"batch_learning_rate", progress.learning_rate, time, progress.step}};
    if (progress.batch_accuracy) {
      points.push_back({"batch_accuracy", *progress.batch_accuracy, time, progress.step});
    }
    tracker_.log(points);
  }
  next_.on_batch(progress);
}

void TrackingObserver::on_epoch(const EpochResult& epoch) {
  tracker_.log(epoch_points(epoch));
  next_.on_epoch(epoch);
}

}  // namespace onnxop
