#include <array>
#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/time_text.h"
#include "onnxop/cli/runs_verbs.h"
#include "onnxop/cli/verbs.h"

namespace onnxop {
namespace {

constexpr std::string_view kWhich = "By name or number";

Json experiment_json(const Experiment& experiment) {
  return {{"experiment_id", experiment.experiment_id},
          {"name", experiment.name},
          {"lifecycle_stage", lifecycle_stage_name(experiment.lifecycle_stage)},
          {"created", experiment.created_ms},
          {"tags", experiment.tags}};
}

void print_experiment(const Experiment& experiment, std::string_view done, bool json) {
  if (json) {
    print_json(experiment_json(experiment));
  } else {
    print_text(
        format("experiment {} '{}' is {}\n", experiment.experiment_id, experiment.name, done));
  }
}

struct ListOptions {
  std::string filter;
  std::string view = "active";
  bool json = false;
};

void list_experiments(const Registry& registry, const ListOptions& options) {
  const ViewType view = options.view == "all"       ? ViewType::kAll
                        : options.view == "deleted" ? ViewType::kDeletedOnly
                                                    : ViewType::kActiveOnly;
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows{{"experiment", "name", "created", "stage"}};
  SearchOptions search{.filter = options.filter};
  do {
    const auto page = registry.experiments().search(view, search);
    for (const Experiment& experiment : page.items) {
      list.push_back(experiment_json(experiment));
      rows.push_back({format("{}", experiment.experiment_id), experiment.name,
                      time_text(experiment.created_ms),
                      std::string(lifecycle_stage_name(experiment.lifecycle_stage))});
    }
    search.page_token = page.next_page_token;
  } while (!search.page_token.empty());
  if (options.json) {
    print_json({{"experiments", list}});
  } else {
    print_text(table_text(rows));
  }
}

VerbAction declare_list(CLI::App& command) {
  auto options = std::make_shared<ListOptions>();
  set_example(command, "onnxop experiments list --filter \"name LIKE 'mnist%'\"");
  command.add_option("--filter", options->filter, "Only experiments that this holds for");
  command.add_option("--view", options->view, "active, deleted or all")
      ->check(CLI::IsMember({"active", "deleted", "all"}))
      ->capture_default_str();
  if (command.get_option_no_throw("--json") == nullptr) {
    add_json_flag(command, options->json);
  }
  return [options](const CliContext& context) {
    const SystemClock clock;
    list_experiments(Registry(context.store, clock, /*must_exist=*/true), *options);
  };
}

VerbAction declare_create(CLI::App& command) {
  struct Options {
    std::string name;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop experiments create augmentation");
  command.add_option("NAME", options->name, "Its name, which no other has")->required();
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    Registry registry(context.store, clock);
    const std::int64_t id = registry.experiments().create(options->name);
    print_experiment(registry.experiments().get(id), "created", options->json);
  };
}

VerbAction declare_rename(CLI::App& command) {
  struct Options {
    std::string experiment;
    std::string name;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop experiments rename augmentation augment-2");
  command.add_option("EXPERIMENT", options->experiment, std::string(kWhich))->required();
  command.add_option("NAME", options->name, "Its new name")->required();
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    Registry registry(context.store, clock, /*must_exist=*/true);
    const std::int64_t id = find_experiments(registry, {options->experiment}).front();
    registry.experiments().rename(id, options->name);
    print_experiment(registry.experiments().get(id), "renamed", options->json);
  };
}

VerbAction declare_change(CLI::App& command, std::string_view done,
                          void (*change)(Registry& registry, std::int64_t id)) {
  struct Options {
    std::string experiment;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  command.add_option("EXPERIMENT", options->experiment, std::string(kWhich))->required();
  add_json_flag(command, options->json);
  return [options, done, change](const CliContext& context) {
    const SystemClock clock;
    Registry registry(context.store, clock, /*must_exist=*/true);
    const std::int64_t id = find_experiments(registry, {options->experiment}).front();
    change(registry, id);
    print_experiment(registry.experiments().get(id), done, options->json);
  };
}

VerbAction declare_delete(CLI::App& command) {
  set_example(command, "onnxop experiments delete augmentation");
  return declare_change(command, "deleted, with its runs", [](Registry& registry, std::int64_t id) {
    registry.experiments().remove(id);
  });
}

VerbAction declare_restore(CLI::App& command) {
  set_example(command, "onnxop experiments restore augmentation");
  return declare_change(
      command, "restored, with its runs",
      [](Registry& registry, std::int64_t id) { registry.experiments().restore(id); });
}

VerbAction declare_gc(CLI::App& command) {
  auto options = std::make_shared<GcOptions>();
  set_example(command, "onnxop experiments gc --older-than 30d");
  add_gc_options(command, *options, "experiments");
  return [options](const CliContext& context) {
    const SystemClock clock;
    const auto before = deleted_before(*options, clock);
    Registry registry(context.store, clock, /*must_exist=*/true);
    const RemovedExperiments removed = registry.experiments().gc(before);
    const std::int64_t bytes = registry.artifacts().gc();
    if (options->json) {
      print_json({{"removed", removed.experiment_ids},
                  {"removed_runs", removed.run_ids},
                  {"kept", removed.kept_experiment_ids},
                  {"kept_runs", kept_json(removed.kept_runs)},
                  {"kept_models", kept_json(removed.kept_models)},
                  {"freed_bytes", bytes}});
    } else {
      std::string text =
          format("{} experiments with {} runs removed for good, {} bytes of artifacts freed\n",
                 removed.experiment_ids.size(), removed.run_ids.size(), bytes);
      for (const std::int64_t id : removed.kept_experiment_ids) {
        text += format("experiment {} stays with what is named below\n", id);
      }
      print_text(text + kept_text("run", removed.kept_runs) +
                 kept_text("logged model", removed.kept_models));
    }
  };
}

}  // namespace

VerbAction declare_experiments(CLI::App& command) {
  static constexpr std::array<Verb, 6> kVerbs{{
      {"list", "Find experiments", declare_list},
      {"create", "Make an experiment", declare_create},
      {"rename", "Give an experiment another name", declare_rename},
      {"delete", "Mark an experiment and its runs as deleted", declare_delete},
      {"restore", "Bring an experiment back, with the runs that were deleted with it",
       declare_restore},
      {"gc", "Remove deleted experiments for good, with their runs and files", declare_gc},
  }};
  const VerbAction list = declare_list(command);
  set_example(command, "onnxop experiments\n  onnxop experiments create augmentation");
  return declare_subverbs(command, kVerbs, list);
}

}  // namespace onnxop
