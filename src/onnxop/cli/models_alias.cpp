#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/models_verbs.h"

namespace onnxop {
namespace {

struct Options {
  std::string name;
  std::string alias;
  std::string version;
  bool remove = false;
  bool json = false;
};

std::string without_at(const std::string& alias) {
  return alias.starts_with("@") ? alias.substr(1) : alias;
}

void print_alias(const std::string& name, const std::string& alias, const Json& version,
                 bool json) {
  if (json) {
    print_json({{"name", name}, {"alias", alias}, {"version", version}});
  } else if (version.is_null()) {
    print_text(format("{}@{} is deleted\n", name, alias));
  } else {
    print_text(format("{}@{} is version {} now\n", name, alias, version.get<std::int64_t>()));
  }
}

}  // namespace

VerbAction declare_models_rollback(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop models rollback mnist champion");
  command.add_option("NAME", options->name, "The model")->required();
  command.add_option("ALIAS", options->alias, "The alias")->required();
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    Registry registry(context.store, clock, /*must_exist=*/true);
    const std::string alias = without_at(options->alias);
    const ModelVersion version = registry.models().rollback_alias(options->name, alias);
    print_alias(options->name, alias, version.version, options->json);
  };
}

VerbAction declare_models_alias(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command,
              "onnxop models alias mnist challenger 4\n"
              "  onnxop models alias mnist challenger --delete");
  command.add_option("NAME", options->name, "The model")->required();
  command.add_option("ALIAS", options->alias, "The alias")->required();
  CLI::Option* version =
      command.add_option("VERSION", options->version, "A number, @alias or latest");
  command.add_flag("--delete", options->remove, "Delete the alias")->excludes(version);
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    if (options->version.empty() && !options->remove) {
      throw UsageError("to which VERSION is the alias to point? Or --delete");
    }
    const SystemClock clock;
    Registry registry(context.store, clock, /*must_exist=*/true);
    const std::string alias = without_at(options->alias);
    if (options->remove) {
      registry.models().delete_alias(options->name, alias);
      print_alias(options->name, alias, nullptr, options->json);
      return;
    }
    const std::int64_t number = find_version(registry, options->name, options->version).version;
    registry.models().set_alias(options->name, alias, number);
    print_alias(options->name, alias, number, options->json);
  };
}

}  // namespace onnxop
