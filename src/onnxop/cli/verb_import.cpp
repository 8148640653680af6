#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/registry/registry.h"
#include "onnxop/workflow/import_model.h"

namespace onnxop {

VerbAction declare_import(CLI::App& command) {
  struct Options {
    std::string file;
    std::string name;
    std::string contract;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop import resnet50.onnx --name resnet --contract resnet.json");
  command.add_option("FILE", options->file, "The .onnx file")->required();
  command.add_option("--name", options->name, "The model's name in the store")->required();
  command.add_option("--contract", options->contract,
                     "JSON file that says how images become the model's input (docs/contract.md)");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    Registry registry(context.store, clock);
    const ModelVersion version =
        import_model(options->file, options->name, options->contract, registry);
    if (options->json) {
      print_json({{"model", version.name},
                  {"version", version.version},
                  {"model_path", version.model_path.string()},
                  {"sha256", version.sha256}});
    } else {
      print_text(format("{} version {}: {}\n", version.name, version.version,
                        version.model_path.string()));
    }
  };
}

}  // namespace onnxop
