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
  struct Options {
    std::string deleted_before;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop runs gc --deleted-before 2026-05-01");
  command.add_option("--deleted-before", options->deleted_before,
                     "Only runs that were deleted before that time (default: all deleted ones)");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    std::optional<std::int64_t> before;
    if (!options->deleted_before.empty()) {
      before = parse_time_text(options->deleted_before).first_ms;
    }
    const SystemClock clock;
    Registry registry(context.store, clock, /*must_exist=*/true);
    const auto ids = registry.runs().gc(before);
    const std::int64_t bytes = registry.artifacts().gc();
    if (options->json) {
      print_json({{"removed", ids}, {"freed_bytes", bytes}});
    } else {
      print_text(
          format("{} runs removed for good, {} bytes of artifacts freed\n", ids.size(), bytes));
    }
  };
}

}  // namespace onnxop
