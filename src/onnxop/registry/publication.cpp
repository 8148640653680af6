// How a version becomes visible: its folder is claimed (transaction), the files are copied aside
// and renamed into their place, then the version is published and its claim removed (transaction).
// A process that ends in between leaves a claim and perhaps a folder, both invisible.

#include <algorithm>
#include <set>
#include <utility>

#include <unistd.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/sha256.h"
#include "onnxop/base/storage_error.h"
#include "onnxop/registry/logged_model_rows.h"
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

// What is copied into a version's folder: from where, and under which relative path.
struct Copy {
  fs::path from;
  fs::path to;
};

fs::path path_inside(const fs::path& path, const fs::path& model_file) {
  const fs::path to = path.lexically_normal();
  if (to.empty() || to.is_absolute() || *to.begin() == ".." || !to.has_filename() || to == ".") {
    fail(ErrorCode::kInvalidArgument,
         "the model's companion '{}' is not a path inside the folder of {}", path.native(),
         model_file.native());
  }
  return to;
}

std::vector<Copy> plan_copies(const NewVersion& version) {
  std::vector<Copy> copies;
  if (!version.model_file.empty()) {
    copies.push_back({version.model_file, fs::path(kModelFile)});
  } else if (!version.companions.empty()) {
    fail(ErrorCode::kInvalidArgument,
         "model '{}': companions are files beside a model file, and there is none", version.name);
  }
  for (const fs::path& companion : version.companions) {
    const fs::path to = path_inside(companion, version.model_file);
    copies.push_back({version.model_file.parent_path() / to, to});
  }
  for (const auto& [to, from] : version.files) {
    copies.push_back({from, path_inside(to, version.model_file)});
  }
  std::set<fs::path> taken;
  for (const Copy& copy : copies) {
    if (!taken.insert(copy.to).second) {
      fail(ErrorCode::kInvalidArgument, "{}: two files would be stored as '{}'",
           version.model_file.native(), copy.to.native());
    }
    std::error_code error;
    if (!fs::exists(copy.from, error)) {
      fail(ErrorCode::kNotFound, "{}: there is no such file to register", copy.from.native());
    }
    if (!fs::is_regular_file(copy.from, error)) {
      fail(ErrorCode::kInvalidArgument, "{}: not a regular file", copy.from.native());
    }
  }
  return copies;
}

// The store's own blobs never change, as little as published files: one file under two names will
// do. Everything else is copied.
bool link_blob(const RegistryCore& core, const Copy& copy, const fs::path& to) {
  const std::string name = copy.from.filename().string();
  std::error_code ignored;
  return name.size() == 64 && core.blobs->contains(name) &&
         fs::equivalent(core.blobs->file(name), copy.from, ignored) &&
         ::link(copy.from.c_str(), to.c_str()) == 0;
}

// What is in the folder afterwards is what counts, so sizes and hashes are taken from there.
std::vector<ModelFile> fill_folder(const RegistryCore& core, const std::vector<Copy>& copies,
                                   const fs::path& folder) {
  std::vector<ModelFile> files;
  for (const Copy& copy : copies) {
    const fs::path to = folder / copy.to;
    try {
      fs::create_directories(to.parent_path());
      const bool linked = link_blob(core, copy, to);
      if (!linked) {
        copy_to_new_file(copy.from, to);
        fs::permissions(to, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
      }
      files.push_back({copy.to.generic_string(), static_cast<std::int64_t>(fs::file_size(to)),
                       sha256_file(to)});
      if (linked && files.back().sha256 != copy.from.filename().string()) {
        fail(ErrorCode::kDataLoss, "{}: its SHA-256 is {}, not what its name says",
             copy.from.native(), files.back().sha256);
      }
    } catch (const fs::filesystem_error& error) {
      fail_to_write(error.code(), format("cannot copy {} to {}", copy.from.native(), to.native()));
    }
  }
  return files;
}

// The model's row as it is now, or made now: it may have been made, renamed or removed since the
// claim.
ModelKey model_of_claim(Session& session, const RegistryCore& core, const Claim& claim) {
  ModelKey key = claim.model;
  session << "SELECT name FROM registered_models WHERE model = :model", use(key.model),
      into(key.name);
  if (session.got_data()) {
    return key;
  }
  key.name = claim.model.name;
  long long events = 0;
  session << "SELECT COUNT(*) FROM model_events WHERE model = :model", use(key.model), into(events);
  if (events > 0) {
    fail(ErrorCode::kNotFound, "model '{}' was removed while a version of it was being made",
         key.name);
  }
  if (has_model(session, key.name)) {
    fail(ErrorCode::kFailedPrecondition,
         "another model was named '{}' while a version of it was being made: try again", key.name);
  }
  insert_model(session, core, key, "");
  return key;
}

void insert_files(Session& session, const VersionRowKey& version,
                  const std::vector<ModelFile>& files) {
  for (const ModelFile& file : files) {
    const long long bytes = file.bytes;
    session << "INSERT INTO version_files (model, version, path, bytes, sha256) "
               "VALUES (:model, :version, :path, :bytes, :sha256)",
        use(version.model), use(version.version), use(file.path), use(bytes), use(file.sha256);
  }
}

ModelVersion insert_version(Session& session, const RegistryCore& core, const Claim& claim,
                            const NewVersion& version, const std::vector<ModelFile>& files) {
  const ModelKey model = model_of_claim(session, core, claim);
  const VersionRowKey key{model.model, claim.version};
  const long long now = core.now_ms();
  const std::string stage(kNoStage);
  session << "INSERT INTO versions (model, version, run_id, source, created_ms, updated_ms, "
             "description, user_id, stage, logged_model_id, run_link, contract) VALUES (:model, "
             ":version, :run, :source, :created, :updated, :description, :user, :stage, :logged, "
             ":link, :contract)",
      use(key.model), use(key.version), use(version.run_id), use(version.source), use(now),
      use(now), use(version.description), use(core.actor), use(stage), use(version.logged_model_id),
      use(version.run_link), use(version.contract);
  insert_files(session, key, files);
  for (const auto& [name, value] : version.tags) {
    upsert_version_tag(session, key, name, value);
  }
  for (const auto& [name, value] : version.metrics) {
    upsert_version_metric(session, key, name, value);
  }
  session << "UPDATE registered_models SET last_version = :version "
             "WHERE model = :model AND last_version < :version2",
      use(key.version), use(key.model), use(key.version);
  touch_model(session, core, model);
  delete_claim(session, claim);
  ModelVersion made = load_version(session, core, model, key.version);
  record_event(session, core, model,
               {model_event::kVersionCreated, made.version, "", "", made.sha256});
  return made;
}

void check_texts(const NewVersion& version) {
  check_model_name(version.name);
  for (const auto& [key, value] : version.tags) {
    check_model_tag(key, value);
  }
  for (const auto& [key, value] : version.metrics) {
    check_key("metric", key, kModelKeyChars);
  }
  check_model_text("source", version.name, version.source);
  check_model_text("description", version.name, version.description);
  check_model_text("logged model", version.name, version.logged_model_id);
  check_model_text("link to the run", version.name, version.run_link);
  check_model_text("contract", version.name, version.contract);
}

// What its files belong to: there are no others. Inside the transaction, for it may be removed for
// good meanwhile.
void require_source(Session& session, const RegistryCore& core, const NewVersion& version) {
  if (!version.run_id.empty()) {
    run_number(session, core, version.run_id);
  }
  if (!version.logged_model_id.empty()) {
    find_logged_model(session, core, version.logged_model_id, Deleted::kTaken);
  }
}

}  // namespace

ModelVersion Models::publish(const NewVersion& version) {
  check_texts(version);
  const auto copies = plan_copies(version);
  finish_abandoned_claims(core_);
  if (copies.empty()) {
    return core_.database.write([&](Session& session) {
      require_source(session, core_, version);
      const Claim claim = claim_next_version(session, core_, version.name);
      return insert_version(session, core_, claim, version, {});
    });
  }
  if (!version.run_id.empty()) {
    core_.database.read(
        [&](Session& session) { return run_number(session, core_, version.run_id); });
  }
  const Claim claim = core_.database.write(
      [&](Session& session) { return claim_next_version(session, core_, version.name); });
  try {
    StagedDirectory staged(version_folder(core_, claim.model.folder, claim.version));
    const auto files = fill_folder(core_, copies, staged.path());
    staged.publish();
    return core_.database.write(
        [&](Session& session) { return insert_version(session, core_, claim, version, files); });
  } catch (...) {
    empty_claimed_folder(core_, claim);
    throw;
  }
}

}  // namespace onnxop
