// Versions of registered models over MLflow's REST API.

#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/server/mlflow_table.h"
#include "onnxop/server/mlflow_version_source.h"
#include "onnxop/wire/mlflow_versions.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMostAsked = 200'000;    // of a page; clients ask for as many
constexpr std::int64_t kMostVersions = 50'000;  // that it has
constexpr std::string_view kDone = "{}";

/// Clients find the versions of a logged model in a tag of it.
void note_in_logged_model(Registry& registry, const ModelVersion& version) {
  constexpr const char* kTag = "mlflow.modelVersions";
  LoggedModels& models = registry.logged_models();
  const LoggedModel model = models.get(version.logged_model_id);
  Json versions = Json::array();
  if (const auto tag = model.tags.find(kTag); tag != model.tags.end()) {
    versions = parse_json(tag->second, kTag);
  }
  if (versions.is_array()) {
    versions.push_back({{"name", version.name}, {"version", version.version}});
    models.set_tags(version.logged_model_id, {{kTag, dump_json(versions)}});
  }
}

/// Another version's files, under a name of its own.
ModelVersion publish_copy(const Registry& registry, Models& models, const ModelVersion& from,
                          NewVersion version) {
  version.source = format("models:/{}/{}", from.name, from.version);  // an alias may move
  version.run_id = from.run_id;
  version.logged_model_id = from.logged_model_id;
  version.contract = from.contract;
  version.metrics = from.metrics;
  version.model_file = from.model_path;
  if (from.sha256.empty()) {
    version.model_file.clear();
  }
  for (const ModelFile& file : registry.models().files(from.name, from.version)) {
    if (file.path != "model.onnx") {
      version.companions.emplace_back(file.path);
    }
  }
  return models.publish(version);
}

/// The run that logged the model; "" where there is none, or no longer.
std::string logging_run(const Registry& registry, const std::string& model_id) {
  const std::string run_id = registry.logged_models().get(model_id).source_run_id;
  try {
    return run_id.empty() ? run_id : registry.runs().get(run_id).run_id;
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kNotFound) {
      throw;
    }
    return {};
  }
}

std::string create(const TrackingOptions& options, MlflowCall& call) {
  NewVersion version = new_version_of(call.fields());
  call.registry().models().get(version.name);  // a version makes no model here
  if (const auto from = find_copied(call.registry().models(), version.source)) {
    return model_version_json(
        publish_copy(call.registry(), call.registry().models(), *from, std::move(version)));
  }
  const std::string folder = source_folder(call.registry(), version);
  if (version.run_id.empty() && !version.logged_model_id.empty()) {
    version.run_id = logging_run(call.registry(), version.logged_model_id);
  }
  const ModelVersion made = options.publish(call.registry(), std::move(version), folder);
  if (!made.logged_model_id.empty()) {
    note_in_logged_model(call.registry(), made);
  }
  return model_version_json(made);
}

std::string search(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  SearchOptions options;
  options.filter = fields.text("filter");
  options.order_by = fields.texts("order_by");
  options.max_results = std::min(fields.max_results(kMostAsked, kMostAsked), kMostVersions);
  options.page_token = fields.text("page_token");
  return model_versions_json(call.registry().models().search_versions(options));
}

std::string set_stage(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  return model_version_json(call.registry().models().set_stage(
      fields.required("name"), version_number_of(fields), fields.required("stage"),
      fields.truth("archive_existing_versions").value_or(false)));
}

std::string describe(MlflowCall& call) {
  const MlflowFields& fields = call.fields();
  const std::string name = fields.required("name");
  const std::int64_t version = version_number_of(fields);
  Models& models = call.registry().models();
  const auto description = fields.find_text("description");
  return model_version_json(description ? models.describe_version(name, version, *description)
                                        : models.version(name, version));
}

void add_changes(MlflowTable& table) {
  table.add({"POST", "model-versions/create", "createModelVersion",
             "A new version, from artifacts of a run or a logged model", Permission::kTrack,
             Lane::kFiles},
            [&options = table.options()](MlflowCall& call) { return create(options, call); });
  table.add({"PATCH", "model-versions/update", "updateModelVersion", "A version's description",
             Permission::kTrack},
            describe);
  table.add({"POST", "model-versions/transition-stage", "transitionModelVersionStage",
             "A version's stage", Permission::kManage},
            set_stage);
  table.add({"DELETE", "model-versions/delete", "deleteModelVersion", "Delete a version",
             Permission::kManage},
            [](MlflowCall& call) {
              const MlflowFields& fields = call.fields();
              call.registry().models().remove_version(fields.required("name"),
                                                      version_number_of(fields));
              return std::string(kDone);
            });
  table.add({"POST", "model-versions/set-tag", "setModelVersionTag", "Set a tag of a version",
             Permission::kTrack},
            [](MlflowCall& call) {
              const MlflowFields& fields = call.fields();
              call.registry().models().set_version_tag(
                  fields.required("name"), version_number_of(fields), fields.required("key"),
                  fields.text("value"));
              return std::string(kDone);
            });
  table.add({"DELETE", "model-versions/delete-tag", "deleteModelVersionTag",
             "Delete a tag of a version", Permission::kTrack},
            [](MlflowCall& call) {
              const MlflowFields& fields = call.fields();
              call.registry().models().delete_version_tag(
                  fields.required("name"), version_number_of(fields), fields.required("key"));
              return std::string(kDone);
            });
}

}  // namespace

void add_mlflow_versions(MlflowTable& table) {
  add_changes(table);
  table.add({"GET", "model-versions/get", "getModelVersion", "A version"}, [](MlflowCall& call) {
    const MlflowFields& fields = call.fields();
    return model_version_json(
        call.registry().models().version(fields.required("name"), version_number_of(fields)));
  });
  table.add({"GET", "model-versions/search", "searchModelVersions", "Versions that fit a filter"},
            search);
  table.add({"GET", "model-versions/get-download-uri", "getModelVersionDownloadUri",
             "The folder of artifacts that a version came from"},
            [](MlflowCall& call) {
              const MlflowFields& fields = call.fields();
              const Registry& registry = call.registry();
              return download_uri_json(download_uri(
                  registry,
                  registry.models().version(fields.required("name"), version_number_of(fields))));
            });
}

}  // namespace onnxop
