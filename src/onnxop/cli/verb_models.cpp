#include <array>

#include "onnxop/base/clock.h"
#include "onnxop/cli/models_verbs.h"
#include "onnxop/cli/verbs.h"

namespace onnxop {

VerbAction declare_models(CLI::App& command) {
  static constexpr std::array<Verb, 11> kVerbs{{
      {"list", "Find models", declare_models_list},
      {"show", "All about one model, or one version", declare_models_show},
      {"diff", "What differs between two versions", declare_models_diff},
      {"promote", "Point an alias to a version, if it is good enough", declare_models_promote},
      {"rollback", "Point an alias to what it pointed to before", declare_models_rollback},
      {"alias", "Set or delete an alias", declare_models_alias},
      {"history", "What happened to a model, and what was in force at a time",
       declare_models_history},
      {"tag", "Set or delete tags of a model or a version", declare_models_tag},
      {"describe", "Give a model or a version a description", declare_models_describe},
      {"delete", "Delete a version, or a model with all its versions", declare_models_delete},
      {"verify", "Read every stored file again and compare the hashes", declare_models_verify},
  }};
  struct Options {
    std::string name;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  command.add_option("NAME", options->name,
                     "A model, or a version (mnist:3, mnist@champion), to show it; without it all "
                     "models are listed");
  add_json_flag(command, options->json);
  const VerbAction list = declare_models_list(command);
  set_example(command,
              "onnxop models\n  onnxop models mnist --json\n"
              "  onnxop models promote mnist 3 champion --if \"test_accuracy >= 0.99\"");
  return declare_subverbs(command, kVerbs, [options, list](const CliContext& context) {
    if (options->name.empty()) {
      list(context);
      return;
    }
    const SystemClock clock;
    const Registry registry(context.store, clock, /*must_exist=*/true);
    show_model(registry, options->name, options->json);
  });
}

}  // namespace onnxop
