#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/registry/registry.h"

namespace onnxop {
namespace {

Json version_json(const ModelVersion& version) {
  return {{"name", version.name},
          {"version", version.version},
          {"run_id", version.run_id},
          {"source", version.source},
          {"sha256", version.sha256},
          {"created", version.created_ms},
          {"model_path", version.model_path.string()}};
}

std::string aliases_text(const RegisteredModel& model, std::int64_t version) {
  std::string text;
  for (const auto& [alias, of] : model.aliases) {
    if (version == 0 || of == version) {
      text += (text.empty() ? "@" : " @") + alias + (version == 0 ? format("={}", of) : "");
    }
  }
  return text;
}

void list_models(const Registry& registry, bool json) {
  const auto models = registry.models().list();
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows{{"model", "latest", "aliases"}};
  for (const auto& model : models) {
    list.push_back({{"name", model.name},
                    {"latest_version", model.latest_version},
                    {"aliases", model.aliases}});
    rows.push_back({model.name, format("{}", model.latest_version), aliases_text(model, 0)});
  }
  if (json) {
    print_json({{"models", list}});
  } else {
    print_text(table_text(rows));
  }
}

void show_model(const Registry& registry, const std::string& name, bool json) {
  const auto versions = registry.models().versions(name);
  RegisteredModel found;
  for (auto& model : registry.models().list()) {
    if (model.name == name) {
      found = std::move(model);
    }
  }
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows{
      {"version", "created", "run", "sha256", "source", "aliases"}};
  for (const auto& version : versions) {
    list.push_back(version_json(version));
    rows.push_back({format("{}", version.version),
                    format_time(WallTime(std::chrono::milliseconds(version.created_ms))),
                    version.run_id.empty() ? "-" : version.run_id.substr(0, 8),
                    version.sha256.substr(0, 12), version.source,
                    aliases_text(found, version.version)});
  }
  if (json) {
    print_json({{"name", name}, {"aliases", found.aliases}, {"versions", list}});
  } else {
    print_text(table_text(rows));
  }
}

}  // namespace

VerbAction declare_models(CLI::App& command) {
  struct Options {
    std::string name;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop models\n  onnxop models mnist --json");
  command.add_option("NAME", options->name,
                     "A model whose versions are shown; without it all models are listed");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    const Registry registry(context.store, clock, /*must_exist=*/true);
    if (options->name.empty()) {
      list_models(registry, options->json);
    } else {
      show_model(registry, options->name, options->json);
    }
  };
}

}  // namespace onnxop
