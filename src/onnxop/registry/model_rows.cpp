#include "onnxop/registry/model_rows.h"

#include <algorithm>
#include <map>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/nearest.h"
#include "onnxop/registry/model_names.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using soci::into;
using soci::use;

// Conditions below are made of numbers and of this text alone.
constexpr std::string_view kAll = "1 = 1";

template <typename Row, typename... Columns>
void for_each_row(Session& session, const std::string& query, Row&& row, Columns&... columns) {
  soci::statement select = ((session.prepare << query), ..., into(columns));
  select.execute();
  while (select.fetch()) {
    row();
  }
}

std::vector<std::pair<long long, RegisteredModel>> models_where(Session& session,
                                                                const std::string& condition) {
  std::vector<std::pair<long long, RegisteredModel>> models;
  std::map<long long, RegisteredModel*> by_number;
  long long number = 0;
  long long latest = 0;
  long long created_ms = 0;
  long long updated_ms = 0;
  RegisteredModel row;
  for_each_row(
      session,
      format("SELECT m.model, m.name, m.description, m.created_ms, m.updated_ms, "
             "COALESCE((SELECT MAX(v.version) FROM versions v WHERE v.model = m.model), 0) "
             "FROM registered_models m WHERE {} ORDER BY m.name",
             condition),
      [&] {
        row.latest_version = latest;
        row.created_ms = created_ms;
        row.updated_ms = updated_ms;
        models.emplace_back(number, row);
      },
      number, row.name, row.description, created_ms, updated_ms, latest);
  for (auto& [model_number, model] : models) {
    by_number[model_number] = &model;
  }
  std::string key;
  std::string value;
  for_each_row(
      session,
      format("SELECT m.model, m.key, m.value FROM registered_model_tags m WHERE {}", condition),
      [&] { by_number.at(number)->tags[key] = value; }, number, key, value);
  long long version = 0;
  for_each_row(
      session,
      format("SELECT m.model, m.alias, m.version FROM version_aliases m WHERE {}", condition),
      [&] { by_number.at(number)->aliases[key] = version; }, number, key, version);
  return models;
}

using VersionNumbers = std::pair<long long, long long>;

// What belongs to versions, row by row.
void load_details(Session& session, const std::string& condition,
                  const std::map<VersionNumbers, ModelVersion*>& versions) {
  long long model = 0;
  long long version = 0;
  std::string key;
  std::string value;
  for_each_row(
      session,
      format("SELECT v.model, v.version, v.key, v.value FROM version_tags v WHERE {}", condition),
      [&] {
        versions.at({model, version})->tags[key] = value;
      },
      model, version, key, value);
  double metric = 0;
  int is_nan = 0;
  for_each_row(
      session,
      format("SELECT v.model, v.version, v.key, v.value, v.is_nan FROM version_metrics v WHERE {}",
             condition),
      [&] {
        versions.at({model, version})->metrics[key] = metric_from_columns(metric, is_nan);
      },
      model, version, key, metric, is_nan);
  for_each_row(
      session,
      format("SELECT v.model, v.version, v.alias FROM version_aliases v WHERE {} ORDER BY v.alias",
             condition),
      [&] {
        versions.at({model, version})->aliases.push_back(key);
      },
      model, version, key);
}

std::vector<std::pair<VersionNumbers, ModelVersion>> versions_where(Session& session,
                                                                    const RegistryCore& core,
                                                                    const std::string& condition) {
  std::vector<std::pair<VersionNumbers, ModelVersion>> versions;
  long long model = 0;
  long long version = 0;
  long long created_ms = 0;
  long long updated_ms = 0;
  std::string folder;
  ModelVersion row;
  for_each_row(
      session,
      format("SELECT v.model, v.version, m.name, m.folder, v.run_id, v.source, "
             "COALESCE(f.sha256, ''), v.created_ms, v.updated_ms, v.description, v.user_id, "
             "v.stage, v.logged_model_id, v.run_link, v.contract "
             "FROM versions v JOIN registered_models m ON m.model = v.model "
             "LEFT JOIN version_files f ON f.model = v.model AND f.version = v.version "
             "AND f.path = '{}' WHERE {} ORDER BY v.model, v.version DESC",
             kModelFile, condition),
      [&] {
        row.version = version;
        row.created_ms = created_ms;
        row.updated_ms = updated_ms;
        row.model_path = row.sha256.empty()
                             ? fs::path()
                             : version_folder(core, folder, version) / fs::path(kModelFile);
        versions.emplace_back(VersionNumbers(model, version), row);
      },
      model, version, row.name, folder, row.run_id, row.source, row.sha256, created_ms, updated_ms,
      row.description, row.user_id, row.stage, row.logged_model_id, row.run_link, row.contract);
  std::map<VersionNumbers, ModelVersion*> by_number;
  for (auto& [numbers, value] : versions) {
    by_number[numbers] = &value;
  }
  load_details(session, condition, by_number);
  return versions;
}

std::vector<std::string> model_names(Session& session) {
  std::vector<std::string> names;
  std::string name;
  for_each_row(
      session, "SELECT name FROM registered_models ORDER BY name", [&] { names.push_back(name); },
      name);
  return names;
}

template <typename Value>
std::vector<Value> values_of(std::vector<std::pair<VersionNumbers, Value>> found) {
  std::vector<Value> values;
  values.reserve(found.size());
  for (auto& [numbers, value] : found) {
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

fs::path version_folder(const RegistryCore& core, std::string_view folder, std::int64_t version) {
  return core.models_dir() / folder / std::to_string(version);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  const auto nearest = nearest_word(word, candidates);
  return nearest ? format("; did you mean '{}'?", *nearest) : std::string();
}

bool has_model(Session& session, std::string_view name) {
  const std::string text(name);
  int count = 0;
  session << "SELECT COUNT(*) FROM registered_models WHERE name = :name", use(text), into(count);
  return count > 0;
}

ModelKey find_model(Session& session, const RegistryCore& core, std::string_view name) {
  check_model_name(name);
  ModelKey key;
  key.name = name;
  session << "SELECT model, folder FROM registered_models WHERE name = :name", use(key.name),
      into(key.model), into(key.folder);
  if (session.got_data()) {
    return key;
  }
  const auto names = model_names(session);
  if (names.empty()) {
    fail(ErrorCode::kNotFound, "no model '{}' in the store {}: it has no models yet", name,
         core.location.text());
  }
  fail(ErrorCode::kNotFound, "no model '{}' in the store {}; there are: {}{}", name,
       core.location.text(), join(names, ", "), did_you_mean(name, names));
}

std::vector<RegisteredModel> load_models(Session& session, std::span<const long long> models) {
  if (models.empty()) {
    return {};
  }
  std::map<long long, RegisteredModel> found;
  for (auto& [number, model] :
       models_where(session, format("m.model IN ({})", join(models, ", ")))) {
    found.emplace(number, std::move(model));
  }
  std::vector<RegisteredModel> result;
  for (const long long number : models) {
    if (const auto model = found.find(number); model != found.end()) {
      result.push_back(model->second);
    }
  }
  return result;
}

std::vector<RegisteredModel> load_all_models(Session& session) {
  std::vector<RegisteredModel> result;
  for (auto& [number, model] : models_where(session, std::string(kAll))) {
    result.push_back(std::move(model));
  }
  // Byte by byte, whatever the database's order is.
  std::sort(result.begin(), result.end(),
            [](const RegisteredModel& a, const RegisteredModel& b) { return a.name < b.name; });
  return result;
}

std::vector<ModelVersion> load_versions(Session& session, const RegistryCore& core,
                                        std::span<const VersionRowKey> versions) {
  if (versions.empty()) {
    return {};
  }
  std::vector<std::string> rows;
  for (const VersionRowKey& key : versions) {
    rows.push_back(format("({}, {})", key.model, key.version));
  }
  std::map<VersionNumbers, ModelVersion> found;
  for (auto& [numbers, version] : versions_where(
           session, core, format("(v.model, v.version) IN (VALUES {})", join(rows, ", ")))) {
    found.emplace(numbers, std::move(version));
  }
  std::vector<ModelVersion> result;
  for (const VersionRowKey& key : versions) {
    if (const auto version = found.find({key.model, key.version}); version != found.end()) {
      result.push_back(version->second);
    }
  }
  return result;
}

std::vector<ModelVersion> load_all_versions(Session& session, const RegistryCore& core) {
  auto versions = values_of(versions_where(session, core, std::string(kAll)));
  std::stable_sort(versions.begin(), versions.end(),
                   [](const ModelVersion& a, const ModelVersion& b) { return a.name < b.name; });
  return versions;
}

std::vector<ModelVersion> load_versions_of(Session& session, const RegistryCore& core,
                                           const ModelKey& model) {
  return values_of(versions_where(session, core, format("v.model = {}", model.model)));
}

ModelVersion load_version(Session& session, const RegistryCore& core, const ModelKey& model,
                          std::int64_t version) {
  if (version < 1) {
    fail(ErrorCode::kInvalidArgument, "model '{}': {} is no version: they count from 1", model.name,
         version);
  }
  auto found = versions_where(session, core,
                              format("v.model = {} AND v.version = {}", model.model, version));
  if (!found.empty()) {
    return std::move(found.front().second);
  }
  std::vector<long long> numbers;
  long long number = 0;
  for_each_row(
      session,
      format("SELECT version FROM versions WHERE model = {} ORDER BY version DESC", model.model),
      [&] { numbers.push_back(number); }, number);
  if (numbers.empty()) {
    fail(ErrorCode::kNotFound, "model '{}' in the store {} has no version {}: it has none yet",
         model.name, core.location.text(), version);
  }
  fail(ErrorCode::kNotFound, "model '{}' in the store {} has no version {}; there are: {}",
       model.name, core.location.text(), version, join(numbers, ", "));
}

std::vector<ModelFile> load_version_files(Session& session, const VersionRowKey& version) {
  std::vector<ModelFile> files;
  ModelFile file;
  long long bytes = 0;
  for_each_row(
      session,
      format("SELECT path, bytes, sha256 FROM version_files WHERE model = {} AND version = {} "
             "ORDER BY path",
             version.model, version.version),
      [&] {
        file.bytes = bytes;
        files.push_back(file);
      },
      file.path, bytes, file.sha256);
  return files;
}

}  // namespace onnxop
