#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/registry/registry.h"

namespace onnxop {
namespace {

Json run_json(const Run& run) {
  Json metrics = Json::object();
  for (const auto& [key, metric] : run.metrics) {
    metrics[key] = metric.value;
  }
  Json json{{"run_id", run.run_id},
            {"name", run.name},
            {"status", run_status_name(run.status)},
            {"start_time", run.start_time_ms},
            {"end_time", nullptr},
            {"params", run.params},
            {"metrics", metrics},
            {"tags", run.tags}};
  if (run.end_time_ms) {
    json["end_time"] = *run.end_time_ms;
  }
  return json;
}

std::string time_text(std::int64_t unix_ms) {
  return format_time(WallTime(std::chrono::milliseconds(unix_ms)));
}

std::string metric_text(const Run& run, const std::string& key) {
  const auto at = run.metrics.find(key);
  return at == run.metrics.end() ? "-" : format("{:.4f}", at->second.value);
}

void list_runs(const Registry& registry, bool json) {
  const auto runs = registry.runs().list();
  if (json) {
    Json list = Json::array();
    for (const auto& run : runs) {
      list.push_back(run_json(run));
    }
    print_json({{"runs", list}});
    return;
  }
  std::vector<std::vector<std::string>> rows{
      {"run", "name", "status", "started", "val accuracy", "test accuracy"}};
  for (const auto& run : runs) {
    rows.push_back({run.run_id.substr(0, 8), run.name, std::string(run_status_name(run.status)),
                    time_text(run.start_time_ms), metric_text(run, "val_accuracy"),
                    metric_text(run, "test_accuracy")});
  }
  print_text(table_text(rows));
}

void show_run(const Registry& registry, const std::string& id, bool json) {
  const Run run = registry.runs().get(id);
  if (json) {
    print_json(run_json(run));
    return;
  }
  std::vector<std::vector<std::string>> rows{{"run", run.run_id},
                                             {"name", run.name},
                                             {"status", std::string(run_status_name(run.status))},
                                             {"started", time_text(run.start_time_ms)},
                                             {"files", registry.runs().dir(run.run_id).string()}};
  if (run.end_time_ms) {
    rows.push_back({"ended", time_text(*run.end_time_ms)});
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

}  // namespace

VerbAction declare_runs(CLI::App& command) {
  struct Options {
    std::string run;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop runs\n  onnxop runs 3f2a91c0 --json");
  command.add_option("RUN", options->run,
                     "A run's id or its first digits; without it all are listed");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    const Registry registry(context.store, clock, /*must_exist=*/true);
    if (options->run.empty()) {
      list_runs(registry, options->json);
    } else {
      show_run(registry, options->run, options->json);
    }
  };
}

}  // namespace onnxop
