// Deleted, brought back, removed for good.

#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/time_text.h"
#include "onnxop/cli/runs_verbs.h"

namespace onnxop {
namespace {

struct ChangeOptions {
  std::vector<std::string> runs;
  bool json = false;
};

using Change = void (*)(Registry& registry, const Run& run);

VerbAction declare_change(CLI::App& command, std::string_view done, Change change) {
  auto options = std::make_shared<ChangeOptions>();
  command.add_option("RUN", options->runs, "Runs, by their ids or first digits")->required();
  add_json_flag(command, options->json);
  return [options, done, change](const CliContext& context) {
    const SystemClock clock;
    Registry registry(context.store, clock, /*must_exist=*/true);
    std::vector<Run> runs;
    for (const std::string& id : options->runs) {
      runs.push_back(registry.runs().get(id));  // all are there before one is changed
    }
    Json ids = Json::array();
    std::string text;
    for (const Run& run : runs) {
      change(registry, run);
      ids.push_back(run.run_id);
      text += format("{} {} {}\n", run.run_id, run.name, done);
    }
    if (options->json) {
      print_json({{std::string(done), ids}});
    } else {
      print_text(text);
    }
  };
}

}  // namespace

void add_gc_options(CLI::App& command, GcOptions& options, std::string_view what) {
  auto* before = command.add_option(
      "--deleted-before", options.deleted_before,
      format("Only {} that were deleted before that time (default: all deleted ones)", what));
  command
      .add_option("--older-than", options.older_than,
                  format("Only {} that were deleted so long ago: 30d, 12h, 1d12h", what))
      ->excludes(before);
  add_json_flag(command, options.json);
}

std::optional<std::int64_t> deleted_before(const GcOptions& options, const Clock& clock) {
  if (!options.older_than.empty()) {
    return to_unix_ms(clock.wall()) - parse_duration_text(options.older_than);
  }
  return options.deleted_before.empty()
             ? std::nullopt
             : std::optional(parse_time_text(options.deleted_before).first_ms);
}

Json kept_json(const std::vector<NeededByVersions>& kept) {
  Json list = Json::array();
  for (const NeededByVersions& each : kept) {
    list.push_back({{"id", each.id}, {"versions", each.versions}});
  }
  return list;
}

std::string kept_text(std::string_view what, const std::vector<NeededByVersions>& kept) {
  std::string text;
  for (const NeededByVersions& each : kept) {
    text += format("{} {} stays: the only files of {} are among its artifacts\n", what, each.id,
                   join(each.versions, ", "));
  }
  return text;
}

VerbAction declare_runs_delete(CLI::App& command) {
  set_example(command, "onnxop runs delete 3f2a91c0");
  return declare_change(command, "deleted", [](Registry& registry, const Run& run) {
    registry.runs().remove(run.run_id);
  });
}

VerbAction declare_runs_restore(CLI::App& command) {
  set_example(command, "onnxop runs restore 3f2a91c0");
  return declare_change(command, "restored", [](Registry& registry, const Run& run) {
    registry.runs().restore(run.run_id);
  });
}

VerbAction declare_runs_gc(CLI::App& command) {
  auto options = std::make_shared<GcOptions>();
  set_example(command, "onnxop runs gc --older-than 30d");
  add_gc_options(command, *options, "runs and logged models");
  return [options](const CliContext& context) {
    const SystemClock clock;
    const auto before = deleted_before(*options, clock);
    Registry registry(context.store, clock, /*must_exist=*/true);
    const RemovedForGood runs = registry.runs().gc(before);
    const RemovedForGood models = registry.logged_models().gc(before);
    const std::int64_t bytes = registry.artifacts().gc();
    if (options->json) {
      print_json({{"removed", runs.ids},
                  {"removed_models", models.ids},
                  {"kept", kept_json(runs.kept)},
                  {"kept_models", kept_json(models.kept)},
                  {"freed_bytes", bytes}});
    } else {
      print_text(
          format("{} runs and {} logged models removed for good, {} bytes of artifacts freed\n",
                 runs.ids.size(), models.ids.size(), bytes) +
          kept_text("run", runs.kept) + kept_text("logged model", models.kept));
    }
  };
}

}  // namespace onnxop
