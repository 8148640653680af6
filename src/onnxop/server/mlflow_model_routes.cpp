// Registered models and their aliases over MLflow's REST API.

#include "onnxop/base/error.h"
#include "onnxop/server/mlflow_table.h"
#include "onnxop/wire/mlflow_keys.h"
#include "onnxop/wire/mlflow_models.h"
#include "onnxop/wire/mlflow_versions.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMostModels = 1000;  // of a page
constexpr std::string_view kDone = "{}";

ListedModel listed(const Registry& registry, RegisteredModel model) {
  std::vector<ModelVersion> latest = registry.models().latest_versions(model.name, {});
  return {std::move(model), std::move(latest)};
}

std::string aliases_of(const RegisteredModel& model) {
  std::vector<std::string_view> names;
  for (const auto& [alias, version] : model.aliases) {
    names.push_back(alias);
  }
  return names.empty() ? "none" : format("{}", join(names, ", "));
}

std::string model_answer(MlflowCall& call, RegisteredModel model) {
  return registered_model_json(listed(call.registry(), std::move(model)));
}

std::string search(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  SearchOptions options;
  options.filter = fields.text("filter");
  options.order_by = fields.texts("order_by");
  options.max_results = fields.max_results(100, kMostModels);
  options.page_token = fields.text("page_token");
  Page<RegisteredModel> found = call.registry().models().search(options);
  Page<ListedModel> page;
  page.next_page_token = std::move(found.next_page_token);
  for (RegisteredModel& model : found.items) {
    page.items.push_back(listed(call.registry(), std::move(model)));
  }
  return registered_models_json(page);
}

std::string latest_versions(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  return model_versions_json(
      {call.registry().models().latest_versions(fields.required("name"), fields.texts("stages")),
       ""});
}

void add_changes(MlflowTable& table) {
  table.add({"POST", "registered-models/create", "createRegisteredModel",
             "A new model, without versions", Permission::kTrack},
            [](MlflowCall& call) {
              const MlflowFields& fields = call.fields();
              return model_answer(call, call.registry().models().create(fields.required("name"),
                                                                        fields.text("description"),
                                                                        fields.pairs("tags")));
            });
  table.add({"POST", "registered-models/rename", "renameRegisteredModel",
             "Another name for a model", Permission::kManage},
            [](MlflowCall& call) {
              const MlflowFields& fields = call.fields();
              return model_answer(call, call.registry().models().rename(
                                            fields.required("name"), fields.required("new_name")));
            });
  table.add({"PATCH", "registered-models/update", "updateRegisteredModel", "A model's description",
             Permission::kTrack},
            [](MlflowCall& call) {
              const MlflowFields& fields = call.fields();
              return model_answer(call, call.registry().models().describe(
                                            fields.required("name"), fields.text("description")));
            });
  table.add({"DELETE", "registered-models/delete", "deleteRegisteredModel",
             "Delete a model with all its versions", Permission::kManage},
            [](MlflowCall& call) {
              call.registry().models().remove(call.fields().required("name"));
              return std::string(kDone);
            });
  table.add({"POST", "registered-models/set-tag", "setRegisteredModelTag", "Set a tag of a model",
             Permission::kTrack},
            [](MlflowCall& call) {
              const MlflowFields& fields = call.fields();
              call.registry().models().set_tag(fields.required("name"), fields.required("key"),
                                               fields.text("value"));
              return std::string(kDone);
            });
  table.add({"DELETE", "registered-models/delete-tag", "deleteRegisteredModelTag",
             "Delete a tag of a model", Permission::kTrack},
            [](MlflowCall& call) {
              const MlflowFields& fields = call.fields();
              call.registry().models().delete_tag(fields.required("name"), fields.required("key"));
              return std::string(kDone);
            });
}

/// One that is not there is gone already.
std::string delete_alias(MlflowCall& call) {
  const std::string name = call.fields().required("name");
  const std::string alias = call.fields().required("alias");
  if (call.registry().models().get(name).aliases.contains(alias)) {
    call.registry().models().delete_alias(name, alias);
  }
  return std::string(kDone);
}

/// Clients take an alias that is not there for a wrong parameter, a model for what does not exist.
std::string get_by_alias(MlflowCall& call) {
  const Models& models = call.registry().models();
  const RegisteredModel model = models.get(call.fields().required("name"));
  const std::string alias = call.fields().required("alias");
  if (alias != "latest" && !model.aliases.contains(alias)) {
    fail(ErrorCode::kInvalidArgument, "Registered model alias {} not found: model '{}' has: {}",
         alias, model.name, aliases_of(model));
  }
  const std::int64_t version = alias == "latest" ? model.latest_version : model.aliases.at(alias);
  return model_version_json(models.version(model.name, version));
}

void add_aliases(MlflowTable& table) {
  const std::string path = "registered-models/alias";
  table.add({"POST", path, "setRegisteredModelAlias",
             "Let an alias point to a version, which is served then", Permission::kManage},
            [](MlflowCall& call) {
              const MlflowFields& fields = call.fields();
              const std::string alias = fields.required("alias");
              check_mlflow_alias(alias);
              call.registry().models().set_alias(fields.required("name"), alias,
                                                 version_number_of(fields));
              return std::string(kDone);
            });
  table.add({"DELETE", path, "deleteRegisteredModelAlias", "Delete an alias", Permission::kManage},
            delete_alias);
  table.add({"GET", path, "getModelVersionByAlias", "The version that an alias points to"},
            get_by_alias);
}

}  // namespace

void add_mlflow_models(MlflowTable& table) {
  add_changes(table);
  add_aliases(table);
  table.add(
      {"GET", "registered-models/get", "getRegisteredModel", "A model, with its newest versions"},
      [](MlflowCall& call) {
        return model_answer(call, call.registry().models().get(call.fields().required("name")));
      });
  table.add(
      {"GET", "registered-models/search", "searchRegisteredModels", "Models that fit a filter"},
      search);
  table.add({"GET", "registered-models/get-latest-versions", "getLatestVersions",
             "The newest version of each stage"},
            latest_versions);
  table.add({"POST", "registered-models/get-latest-versions", "listLatestVersions",
             "The same, asked in the body"},
            latest_versions);
}

}  // namespace onnxop
