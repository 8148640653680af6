#include <cmath>
#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/time_text.h"
#include "onnxop/cli/runs_verbs.h"

namespace onnxop {
namespace {

Json datasets_json(const Run& run) {
  Json list = Json::array();
  for (const DatasetInput& input : run.dataset_inputs) {
    list.push_back({{"name", input.dataset.name},
                    {"digest", input.dataset.digest},
                    {"source", input.dataset.source},
                    {"tags", input.tags}});
  }
  return list;
}

}  // namespace

Json metric_json(double value) {
  if (std::isfinite(value)) {
    return value;
  }
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

Json run_report_json(const Run& run) {
  Json metrics = Json::object();
  for (const auto& [key, metric] : run.metrics) {
    metrics[key] = metric_json(metric.value);
  }
  Json json{{"run_id", run.run_id},
            {"name", run.name},
            {"experiment_id", run.experiment_id},
            {"user_id", run.user_id},
            {"status", run_status_name(run.status)},
            {"lifecycle_stage", lifecycle_stage_name(run.lifecycle_stage)},
            {"start_time", run.start_time_ms},
            {"end_time", nullptr},
            {"params", run.params},
            {"metrics", metrics},
            {"tags", run.tags},
            {"datasets", datasets_json(run)}};
  if (run.end_time_ms) {
    json["end_time"] = *run.end_time_ms;
  }
  return json;
}

void show_run(const Registry& registry, const std::string& id, bool json) {
  const Run run = registry.runs().get(id);
  if (json) {
    print_json(run_report_json(run));
    return;
  }
  std::vector<std::vector<std::string>> rows{
      {"run", run.run_id},
      {"name", run.name},
      {"experiment", registry.experiments().get(run.experiment_id).name},
      {"status", std::string(run_status_name(run.status))},
      {"started", time_text(run.start_time_ms)},
      {"files", registry.runs().dir(run.run_id).string()}};
  if (run.end_time_ms) {
    rows.push_back({"ended", time_text(*run.end_time_ms)});
  }
  if (run.lifecycle_stage == LifecycleStage::kDeleted) {
    rows.push_back({"deleted", "yes"});
  }
  for (const DatasetInput& input : run.dataset_inputs) {
    rows.push_back({"data", input.dataset.name + " " + input.dataset.digest});
  }
  for (const auto& [key, value] : run.params) {
    rows.push_back({"param", key + " = " + value});
  }
  for (const auto& [key, metric] : run.metrics) {
    rows.push_back({"metric", format("{} = {}", key, metric.value)});
  }
  for (const auto& [key, value] : run.tags) {
    rows.push_back({"tag", key + " = " + value});
  }
  print_text(table_text(rows));
}

VerbAction declare_runs_show(CLI::App& command) {
  struct Options {
    std::string run;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop runs show 3f2a91c0");
  command.add_option("RUN", options->run, "A run's id, or its first digits")->required();
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    show_run(Registry(context.store, clock, /*must_exist=*/true), options->run, options->json);
  };
}

}  // namespace onnxop
