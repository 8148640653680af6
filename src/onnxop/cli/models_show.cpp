#include <algorithm>
#include <iterator>
#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/time_text.h"
#include "onnxop/cli/models_verbs.h"

namespace onnxop {
namespace {

struct ListOptions {
  std::string filter;
  bool json = false;
};

std::string aliases_text(const RegisteredModel& model, std::int64_t version) {
  std::string text;
  for (const auto& [alias, of] : model.aliases) {
    if (version == 0 || of == version) {
      text += (text.empty() ? "@" : " @") + alias + (version == 0 ? format("={}", of) : "");
    }
  }
  return text;
}

std::vector<RegisteredModel> find_models(const Registry& registry, const std::string& filter) {
  if (filter.empty()) {
    return registry.models().list();
  }
  std::vector<RegisteredModel> models;
  SearchOptions search{.filter = filter};
  do {
    auto page = registry.models().search(search);
    std::ranges::move(page.items, std::back_inserter(models));
    search.page_token = page.next_page_token;
  } while (!search.page_token.empty());
  return models;
}

void list_models(const Registry& registry, const ListOptions& options) {
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows{{"model", "latest", "aliases", "description"}};
  for (const auto& model : find_models(registry, options.filter)) {
    list.push_back({{"name", model.name},
                    {"latest_version", model.latest_version},
                    {"aliases", model.aliases},
                    {"description", model.description},
                    {"tags", model.tags},
                    {"created", model.created_ms}});
    rows.push_back({model.name, format("{}", model.latest_version), aliases_text(model, 0),
                    model.description});
  }
  if (options.json) {
    print_json({{"models", list}});
  } else {
    print_text(table_text(rows));
  }
}

void show_versions(const Registry& registry, const std::string& name, bool json) {
  const RegisteredModel model = registry.models().get(name);
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows{
      {"version", "created", "run", "sha256", "source", "aliases"}};
  for (const auto& version : registry.models().versions(name)) {
    list.push_back(version_json(version));
    rows.push_back({format("{}", version.version), time_text(version.created_ms),
                    version.run_id.empty() ? "-" : version.run_id.substr(0, 8),
                    version.sha256.substr(0, 12), version.source,
                    aliases_text(model, version.version)});
  }
  if (json) {
    print_json({{"name", model.name},
                {"description", model.description},
                {"tags", model.tags},
                {"aliases", model.aliases},
                {"versions", list}});
  } else {
    print_text(table_text(rows));
  }
}

void show_version(const Registry& registry, const ModelVersion& version, bool json) {
  if (json) {
    print_json(version_json(version));
    return;
  }
  std::vector<std::vector<std::string>> rows{
      {"version", format("{}:{}", version.name, version.version)},
      {"created", time_text(version.created_ms)},
      {"by", version.user_id.empty() ? "-" : version.user_id},
      {"run", version.run_id.empty() ? "-" : version.run_id},
      {"source", version.source},
      {"stage", version.stage}};
  const auto append = [&](std::string_view what, const std::string& value) {
    rows.push_back({std::string(what), value});
  };
  for (const std::string& alias : version.aliases) {
    append("alias", "@" + alias);
  }
  if (!version.description.empty()) {
    append("description", version.description);
  }
  for (const auto& [key, value] : version.metrics) {
    append("metric", format("{} = {}", key, value));
  }
  for (const auto& [key, value] : version.tags) {
    append("tag", key + " = " + value);
  }
  for (const ModelFile& file : registry.models().files(version.name, version.version)) {
    append("file", format("{}, {} bytes, {}", file.path, file.bytes, file.sha256));
  }
  print_text(table_text(rows));
}

}  // namespace

Json version_json(const ModelVersion& version) {
  return {{"name", version.name},
          {"version", version.version},
          {"run_id", version.run_id},
          {"source", version.source},
          {"sha256", version.sha256},
          {"created", version.created_ms},
          {"user_id", version.user_id},
          {"stage", version.stage},
          {"description", version.description},
          {"aliases", version.aliases},
          {"metrics", version.metrics},
          {"tags", version.tags},
          {"model_path", version.model_path.string()}};
}

bool names_version(std::string_view reference) {
  return reference.find_first_of(":@") != std::string_view::npos;
}

ModelVersion find_version(const Registry& registry, const std::string& name,
                          const std::string& version) {
  return registry.models().find(version.starts_with("@") ? name + version
                                : version == "latest"    ? name
                                                         : name + ":" + version);
}

void show_model(const Registry& registry, const std::string& reference, bool json) {
  if (names_version(reference)) {
    show_version(registry, registry.models().find(reference), json);
  } else {
    show_versions(registry, reference, json);
  }
}

VerbAction declare_models_list(CLI::App& command) {
  auto options = std::make_shared<ListOptions>();
  set_example(command,
              "onnxop models list --filter \"name LIKE 'mnist%' AND tags.team = 'vision'\"");
  command.add_option("--filter", options->filter, "Only models that this holds for");
  if (command.get_option_no_throw("--json") == nullptr) {
    add_json_flag(command, options->json);
  }
  CLI::Option* json = command.get_option("--json");
  return [options, json](const CliContext& context) {
    options->json = json->count() > 0;
    const SystemClock clock;
    list_models(Registry(context.store, clock, /*must_exist=*/true), *options);
  };
}

VerbAction declare_models_show(CLI::App& command) {
  struct Options {
    std::string name;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop models show mnist\n  onnxop models show mnist@champion");
  command.add_option("NAME", options->name, "A model, or a version: mnist:3, mnist@champion")
      ->required();
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    show_model(Registry(context.store, clock, /*must_exist=*/true), options->name, options->json);
  };
}

}  // namespace onnxop
