#include "onnxop/registry/model_writes.h"

#include <cmath>

#include "onnxop/base/error.h"
#include "onnxop/registry/key_values.h"
#include "onnxop/registry/model_events.h"
#include "onnxop/registry/session.h"

namespace onnxop {

using soci::use;

void check_model_tag(std::string_view key, std::string_view value) {
  check_key("tag", key, kModelKeyChars);
  check_value("tag", key, value, kModelTagChars);
}

void check_model_text(std::string_view what, std::string_view name, std::string_view text) {
  check_value(format("{} of model", what), name, text, kModelTextChars);
}

void insert_model(Session& session, const RegistryCore& core, const ModelKey& model,
                  std::string_view description) {
  const long long now = core.now_ms();
  const std::string text(description);
  session << "INSERT INTO registered_models (model, name, folder, description, created_ms, "
             "updated_ms, last_version) VALUES (:model, :name, :folder, :description, :created, "
             ":updated, 0)",
      use(model.model), use(model.name), use(model.folder), use(text), use(now), use(now);
  record_event(session, core, model, {model_event::kModelCreated, {}, "", "", text});
}

void touch_model(Session& session, const RegistryCore& core, const ModelKey& model) {
  const long long now = core.now_ms();
  session << "UPDATE registered_models SET updated_ms = :now WHERE model = :model", use(now),
      use(model.model);
}

void touch_version(Session& session, const RegistryCore& core, const VersionRowKey& version) {
  const long long now = core.now_ms();
  session << "UPDATE versions SET updated_ms = :now WHERE model = :model AND version = :version",
      use(now), use(version.model), use(version.version);
}

void upsert_version_tag(Session& session, const VersionRowKey& version, const std::string& key,
                        const std::string& value) {
  session << "INSERT INTO version_tags (model, version, key, value) VALUES (:model, :version, "
             ":key, :value) ON CONFLICT (model, version, key) DO UPDATE SET value = excluded.value",
      use(version.model), use(version.version), use(key), use(value);
}

void upsert_version_metric(Session& session, const VersionRowKey& version, const std::string& key,
                           double value) {
  const int is_nan = std::isnan(value) ? 1 : 0;
  const double number = is_nan != 0 ? 0.0 : value;
  session << "INSERT INTO version_metrics (model, version, key, value, is_nan) VALUES (:model, "
             ":version, :key, :value, :is_nan) ON CONFLICT (model, version, key) DO UPDATE SET "
             "value = excluded.value, is_nan = excluded.is_nan",
      use(version.model), use(version.version), use(key), use(number), use(is_nan);
}

void delete_version_rows(Session& session, const VersionRowKey& version) {
  for (const std::string_view table :
       {"version_aliases", "version_metrics", "version_tags", "version_files", "versions"}) {
    session << format("DELETE FROM {} WHERE model = {} AND version = {}", table, version.model,
                      version.version);
  }
}

}  // namespace onnxop
