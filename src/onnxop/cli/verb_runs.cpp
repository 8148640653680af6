#include <array>

#include "onnxop/base/clock.h"
#include "onnxop/cli/runs_verbs.h"
#include "onnxop/cli/verbs.h"

namespace onnxop {

VerbAction declare_runs(CLI::App& command) {
  static constexpr std::array<Verb, 8> kVerbs{{
      {"list", "Find runs: filtered, sorted, with the columns that you name", declare_runs_list},
      {"show", "All about one run", declare_runs_show},
      {"compare", "What differs between runs", declare_runs_compare},
      {"plot", "Draw metrics of runs, in the terminal or as a picture", declare_runs_plot},
      {"artifacts", "List a run's artifacts, or copy them out", declare_runs_artifacts},
      {"delete", "Mark runs as deleted", declare_runs_delete},
      {"restore", "Bring deleted runs back", declare_runs_restore},
      {"gc", "Remove deleted runs and logged models for good, with their files", declare_runs_gc},
  }};
  struct Options {
    std::string run;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  command.add_option("RUN", options->run,
                     "A run's id or its first digits, to show it; without it runs are listed");
  add_json_flag(command, options->json);
  const VerbAction list = declare_runs_list(command);
  set_example(command,
              "onnxop runs\n  onnxop runs 3f2a91c0 --json\n"
              "  onnxop runs list --filter \"metrics.val_accuracy > 0.99\" --order-by "
              "\"metrics.val_loss\"");
  return declare_subverbs(command, kVerbs, [options, list](const CliContext& context) {
    if (options->run.empty()) {
      list(context);
      return;
    }
    const SystemClock clock;
    const Registry registry(context.store, clock, /*must_exist=*/true);
    show_run(registry, options->run, options->json);
  });
}

}  // namespace onnxop
