// Versions: what is noted of them, stages, files, and their end.

#include <algorithm>
#include <cmath>

#include "onnxop/base/error.h"
#include "onnxop/base/sha256.h"
#include "onnxop/registry/model_claims.h"
#include "onnxop/registry/model_events.h"
#include "onnxop/registry/model_names.h"
#include "onnxop/registry/model_writes.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using soci::into;
using soci::use;

void write_stage(Session& session, const RegistryCore& core, const ModelKey& model,
                 const ModelVersion& version, const std::string& stage) {
  const VersionRowKey key{model.model, version.version};
  session << "UPDATE versions SET stage = :stage WHERE model = :model AND version = :version",
      use(stage), use(key.model), use(key.version);
  touch_version(session, core, key);
  record_event(session, core, model,
               {model_event::kStageChanged, version.version, "", version.stage, stage});
}

void verify_file(const fs::path& path, const ModelFile& file) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error) {
    fail(ErrorCode::kDataLoss, "{}: a published file is missing: {}", path.native(),
         error.message());
  }
  if (static_cast<std::int64_t>(bytes) != file.bytes) {
    fail(ErrorCode::kDataLoss, "{}: {} bytes, but {} were published", path.native(), bytes,
         file.bytes);
  }
  if (const auto sha256 = sha256_file(path); sha256 != file.sha256) {
    fail(ErrorCode::kDataLoss, "{}: its SHA-256 is {}, but {} was published", path.native(), sha256,
         file.sha256);
  }
}

std::string text_of(double value) {
  return format("{}", value);
}

}  // namespace

std::vector<ModelVersion> Models::versions(std::string_view name) const {
  return core_.database.read([&](Session& session) {
    return load_versions_of(session, core_, find_model(session, core_, name));
  });
}

std::vector<ModelVersion> Models::all_versions() const {
  return core_.database.read([&](Session& session) { return load_all_versions(session, core_); });
}

ModelVersion Models::version(std::string_view name, std::int64_t version) const {
  return core_.database.read([&](Session& session) {
    return load_version(session, core_, find_model(session, core_, name), version);
  });
}

std::vector<ModelVersion> Models::latest_versions(std::string_view name,
                                                  const std::vector<std::string>& stages) const {
  std::set<std::string> wanted;
  for (const std::string& stage : stages) {
    wanted.insert(canonical_stage(stage));
  }
  std::vector<ModelVersion> latest;
  std::set<std::string> seen;
  for (ModelVersion& version : versions(name)) {
    if ((wanted.empty() || wanted.contains(version.stage)) && seen.insert(version.stage).second) {
      latest.push_back(std::move(version));
    }
  }
  return latest;
}

ModelVersion Models::describe_version(std::string_view name, std::int64_t version,
                                      std::string_view description) {
  const std::string after(description);
  check_model_text("description", name, after);
  return core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    const ModelVersion before = load_version(session, core_, model, version);
    if (before.description == after) {
      return before;
    }
    const VersionRowKey key{model.model, version};
    session << "UPDATE versions SET description = :text WHERE model = :model AND version = "
               ":version",
        use(after), use(key.model), use(key.version);
    touch_version(session, core_, key);
    record_event(session, core_, model,
                 {model_event::kDescriptionChanged, version, "", before.description, after});
    return load_version(session, core_, model, version);
  });
}

void Models::set_version_tag(std::string_view name, std::int64_t version, std::string_view key,
                             std::string_view value) {
  check_model_tag(key, value);
  const std::string tag(key);
  const std::string after(value);
  core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    const ModelVersion found = load_version(session, core_, model, version);
    const auto before = found.tags.find(tag);
    if (before != found.tags.end() && before->second == after) {
      return;
    }
    upsert_version_tag(session, {model.model, version}, tag, after);
    record_event(session, core_, model,
                 {model_event::kTagSet, version, tag,
                  before == found.tags.end() ? std::string() : before->second, after});
  });
}

void Models::delete_version_tag(std::string_view name, std::int64_t version, std::string_view key) {
  const std::string tag(key);
  core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    const ModelVersion found = load_version(session, core_, model, version);
    const auto before = found.tags.find(tag);
    if (before == found.tags.end()) {
      return;
    }
    const long long number = version;
    session << "DELETE FROM version_tags WHERE model = :model AND version = :version AND key = "
               ":key",
        use(model.model), use(number), use(tag);
    record_event(session, core_, model,
                 {model_event::kTagDeleted, version, tag, before->second, ""});
  });
}

void Models::log_version_metrics(std::string_view name, std::int64_t version,
                                 const std::map<std::string, double>& metrics) {
  for (const auto& [key, value] : metrics) {
    check_key("metric", key, kModelKeyChars);
  }
  core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    const ModelVersion found = load_version(session, core_, model, version);
    for (const auto& [key, value] : metrics) {
      const auto before = found.metrics.find(key);
      const std::string text = before == found.metrics.end() ? "" : text_of(before->second);
      if (text == text_of(value)) {
        continue;
      }
      upsert_version_metric(session, {model.model, version}, key, value);
      record_event(session, core_, model,
                   {model_event::kMetricMeasured, version, key, text, text_of(value)});
    }
  });
}

ModelVersion Models::set_stage(std::string_view name, std::int64_t version, std::string_view stage,
                               bool archive_existing) {
  const std::string wanted = canonical_stage(stage);
  const std::string archived = canonical_stage("archived");
  if (archive_existing && (wanted == kNoStage || wanted == archived)) {
    fail(ErrorCode::kInvalidArgument,
         "the other versions are archived only when one goes to Staging or Production, not to {}",
         wanted);
  }
  return core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    const ModelVersion found = load_version(session, core_, model, version);
    if (archive_existing) {
      for (const ModelVersion& other : load_versions_of(session, core_, model)) {
        if (other.version != version && other.stage == wanted) {
          write_stage(session, core_, model, other, archived);
        }
      }
    }
    if (found.stage != wanted) {
      write_stage(session, core_, model, found, wanted);
    }
    touch_model(session, core_, model);
    return load_version(session, core_, model, version);
  });
}

// The rows go first, with a claim on the folder: a version that is visible has its files.
void Models::remove_version(std::string_view name, std::int64_t version) {
  finish_abandoned_claims(core_);
  const Claim claim = core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    const ModelVersion found = load_version(session, core_, model, version);
    for (const std::string& alias : found.aliases) {
      record_event(session, core_, model,
                   {model_event::kAliasDeleted, version, alias, std::to_string(version), ""});
    }
    delete_version_rows(session, {model.model, version});
    touch_model(session, core_, model);
    record_event(session, core_, model,
                 {model_event::kVersionDeleted, version, "", found.sha256, ""});
    const Claim folder{model, version};
    insert_claim(session, folder);
    return folder;
  });
  empty_claimed_folder(core_, claim);
}

std::vector<ModelFile> Models::files(std::string_view name, std::int64_t version) const {
  return core_.database.read([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    load_version(session, core_, model, version);
    return load_version_files(session, {model.model, version});
  });
}

fs::path Models::version_dir(std::string_view name, std::int64_t version) const {
  return core_.database.read([&](Session& session) {
    return version_folder(core_, find_model(session, core_, name).folder, version);
  });
}

void Models::verify(const ModelVersion& version) const {
  const fs::path folder = version_dir(version.name, version.version);
  for (const ModelFile& file : files(version.name, version.version)) {
    verify_file(folder / file.path, file);
  }
}

}  // namespace onnxop
