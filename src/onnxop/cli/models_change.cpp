// Tags, descriptions, and the end of versions and models.

#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/models_verbs.h"

namespace onnxop {
namespace {

constexpr std::string_view kReferenceHelp = "A model, or a version: mnist:3, mnist@champion";

void set_tag(Registry& registry, const std::string& reference, const std::string& key,
             const std::string& value) {
  if (names_version(reference)) {
    const ModelVersion version = registry.models().find(reference);
    registry.models().set_version_tag(version.name, version.version, key, value);
  } else {
    registry.models().set_tag(reference, key, value);
  }
}

void delete_tag(Registry& registry, const std::string& reference, const std::string& key) {
  if (names_version(reference)) {
    const ModelVersion version = registry.models().find(reference);
    registry.models().delete_version_tag(version.name, version.version, key);
  } else {
    registry.models().delete_tag(reference, key);
  }
}

Texts tags_of(const Registry& registry, const std::string& reference) {
  return names_version(reference) ? registry.models().find(reference).tags
                                  : registry.models().get(reference).tags;
}

struct TagOptions {
  std::string reference;
  std::vector<std::string> tags;
  std::vector<std::string> deleted;
  bool json = false;
};

void change_tags(Registry& registry, const TagOptions& options) {
  for (const std::string& tag : options.tags) {
    if (tag.find('=') == std::string::npos) {
      throw UsageError(format("'{}' is no tag: expected KEY=VALUE", tag));
    }
  }
  for (const std::string& tag : options.tags) {
    const std::size_t equals = tag.find('=');
    set_tag(registry, options.reference, tag.substr(0, equals), tag.substr(equals + 1));
  }
  for (const std::string& key : options.deleted) {
    delete_tag(registry, options.reference, key);
  }
  const Texts tags = tags_of(registry, options.reference);
  if (options.json) {
    print_json({{"name", options.reference}, {"tags", tags}});
    return;
  }
  std::string text;
  for (const auto& [key, value] : tags) {
    text += format("{} = {}\n", key, value);
  }
  print_text(text);
}

struct DeleteOptions {
  std::string reference;
  bool all_versions = false;
  bool json = false;
};

void delete_version(Registry& registry, const DeleteOptions& options) {
  const ModelVersion version = registry.models().find(options.reference);
  registry.models().remove_version(version.name, version.version);
  if (options.json) {
    print_json({{"name", version.name}, {"deleted_versions", {version.version}}});
  } else {
    print_text(format("{}:{} is deleted\n", version.name, version.version));
  }
}

void delete_model(Registry& registry, const DeleteOptions& options) {
  std::vector<std::int64_t> versions;
  for (const ModelVersion& version : registry.models().versions(options.reference)) {
    versions.push_back(version.version);
  }
  if (!options.all_versions) {
    throw UsageError(
        format("{} has {} versions, whose files would be deleted for good: say "
               "--all-versions, or which version: {}:3",
               options.reference, versions.size(), options.reference));
  }
  registry.models().remove(options.reference);
  if (options.json) {
    print_json({{"name", options.reference}, {"deleted_versions", versions}});
  } else {
    print_text(format("{} is deleted with {} versions\n", options.reference, versions.size()));
  }
}

}  // namespace

VerbAction declare_models_tag(CLI::App& command) {
  auto options = std::make_shared<TagOptions>();
  set_example(command,
              "onnxop models tag mnist team=vision\n"
              "  onnxop models tag mnist:3 reviewed=yes --delete draft");
  command.add_option("NAME", options->reference, std::string(kReferenceHelp))->required();
  command.add_option("TAG", options->tags, "KEY=VALUE: tags to set");
  command.add_option("--delete", options->deleted, "A tag to delete; may be given several times")
      ->allow_extra_args(false);
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    Registry registry(context.store, clock, /*must_exist=*/true);
    change_tags(registry, *options);
  };
}

VerbAction declare_models_describe(CLI::App& command) {
  struct Options {
    std::string reference;
    std::string text;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop models describe mnist:3 \"Trained with augmentation\"");
  command.add_option("NAME", options->reference, std::string(kReferenceHelp))->required();
  command.add_option("TEXT", options->text, "The description; \"\" takes it away")->required();
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    Registry registry(context.store, clock, /*must_exist=*/true);
    if (names_version(options->reference)) {
      const ModelVersion version = registry.models().find(options->reference);
      registry.models().describe_version(version.name, version.version, options->text);
    } else {
      registry.models().describe(options->reference, options->text);
    }
    if (options->json) {
      print_json({{"name", options->reference}, {"description", options->text}});
    }
  };
}

VerbAction declare_models_delete(CLI::App& command) {
  auto options = std::make_shared<DeleteOptions>();
  set_example(command, "onnxop models delete mnist:3\n  onnxop models delete mnist --all-versions");
  command.add_option("NAME", options->reference, std::string(kReferenceHelp))->required();
  command.add_flag("--all-versions", options->all_versions, "Delete the whole model");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    Registry registry(context.store, clock, /*must_exist=*/true);
    if (names_version(options->reference)) {
      delete_version(registry, *options);
    } else {
      delete_model(registry, *options);
    }
  };
}

}  // namespace onnxop
