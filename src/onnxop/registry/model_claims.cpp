#include "onnxop/registry/model_claims.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/registry/model_events.h"
#include "onnxop/registry/model_names.h"
#include "onnxop/registry/process_owner.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using soci::into;
using soci::use;

struct OwnedClaim {
  Claim claim;
  std::string owner;
};

std::vector<OwnedClaim> load_claims(Session& session) {
  std::vector<OwnedClaim> claims;
  OwnedClaim row;
  soci::statement select =
      (session.prepare << "SELECT folder, version, model, name, owner FROM claims",
       into(row.claim.model.folder), into(row.claim.version), into(row.claim.model.model),
       into(row.claim.model.name), into(row.owner));
  select.execute();
  while (select.fetch()) {
    claims.push_back(row);
  }
  return claims;
}

bool is_folder_free(Session& session, const RegistryCore& core, const std::string& name,
                    const std::string& folder) {
  long long uses = 0;
  session << "SELECT (SELECT COUNT(*) FROM registered_models WHERE folder = :folder) + "
             "(SELECT COUNT(*) FROM claims WHERE folder = :folder2) + "
             "(SELECT COUNT(*) FROM model_events WHERE name = :name)",
      use(folder), use(folder), use(name), into(uses);
  std::error_code ignored;
  return uses == 0 && !fs::exists(fs::symlink_status(core.models_dir() / folder, ignored));
}

// A version's folder and those that it was staged in; or a model's whole folder.
std::vector<fs::path> folders_of(const RegistryCore& core, const Claim& claim) {
  const fs::path parent = core.models_dir() / claim.model.folder;
  if (claim.version == 0) {
    return {parent};
  }
  std::vector<fs::path> folders{version_folder(core, claim.model.folder, claim.version)};
  const std::string staging_prefix = format(".{}.", claim.version);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    if (entry.path().filename().native().starts_with(staging_prefix)) {
      folders.push_back(entry.path());
    }
  }
  return folders;
}

bool remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory) {
    log_warning("cannot remove {}: {}", folder.native(), error.message());
    return false;
  }
  return true;
}

// The model's folder, if nothing is in it. Who makes it to put something in has a claim before.
void remove_unclaimed_folder(Session& session, const RegistryCore& core, const ModelKey& model) {
  int claims = 0;
  session << "SELECT COUNT(*) FROM claims WHERE folder = :folder", use(model.folder), into(claims);
  if (claims == 0) {
    std::error_code ignored;
    fs::remove(core.models_dir() / model.folder, ignored);
  }
}

bool is_claimed(Session& session, const Claim& claim) {
  int count = 0;
  session << "SELECT COUNT(*) FROM claims WHERE folder = :folder AND version = :version",
      use(claim.model.folder), use(claim.version), into(count);
  return count > 0;
}

}  // namespace

ModelKey key_for_new_model(Session& session, const RegistryCore& core, std::string_view name) {
  ModelKey key;
  key.name = name;
  session << "SELECT c.model, c.folder FROM claims c WHERE c.name = :name AND c.version > 0 AND "
             "NOT EXISTS (SELECT 1 FROM registered_models r WHERE r.model = c.model) AND "
             "NOT EXISTS (SELECT 1 FROM model_events e WHERE e.model = c.model) "
             "ORDER BY c.model LIMIT 1",
      use(key.name), into(key.model), into(key.folder);
  if (session.got_data()) {
    return key;
  }
  key.model = next_model_number(session);
  key.folder = folder_for_model(name);
  while (!is_folder_free(session, core, key.name, key.folder)) {
    key.folder = format("{}~{}", folder_for_model(name), key.model);
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(core.models_dir() / key.folder, ignored))) {
      break;  // no other model has or had this number
    }
    ++key.model;
  }
  return key;
}

Claim claim_next_version(Session& session, const RegistryCore& core, std::string_view name) {
  Claim claim;
  claim.model = has_model(session, name) ? find_model(session, core, name)
                                         : key_for_new_model(session, core, name);
  session << "SELECT COALESCE(MAX(version), 0) FROM (SELECT last_version AS version FROM "
             "registered_models WHERE model = :model UNION ALL SELECT version FROM claims "
             "WHERE model = :model2) numbers",
      use(claim.model.model), use(claim.model.model), into(claim.version);
  std::error_code ignored;
  do {
    ++claim.version;
  } while (fs::exists(version_folder(core, claim.model.folder, claim.version), ignored));
  session << "UPDATE registered_models SET last_version = :version WHERE model = :model",
      use(claim.version), use(claim.model.model);
  insert_claim(session, claim);
  return claim;
}

void insert_claim(Session& session, const Claim& claim) {
  const std::string owner = current_process_owner();
  session << "INSERT INTO claims (folder, version, model, name, owner) "
             "VALUES (:folder, :version, :model, :name, :owner)",
      use(claim.model.folder), use(claim.version), use(claim.model.model), use(claim.model.name),
      use(owner);
}

void delete_claim(Session& session, const Claim& claim) {
  session << "DELETE FROM claims WHERE folder = :folder AND version = :version",
      use(claim.model.folder), use(claim.version);
}

void empty_claimed_folder(RegistryCore& core, const Claim& claim) {
  try {
    // A claim that is there has not been published, and what it names never will be by others.
    if (!core.database.read([&](Session& session) { return is_claimed(session, claim); })) {
      return;
    }
    const auto folders = folders_of(core, claim);
    if (!std::all_of(folders.begin(), folders.end(), remove_folder)) {
      return;
    }
    core.database.write([&](Session& session) {
      delete_claim(session, claim);
      remove_unclaimed_folder(session, core, claim.model);
    });
  } catch (const Error& error) {
    log_warning("the folder {}/{} of model '{}' stays claimed: {}", claim.model.folder,
                claim.version, claim.model.name, error.what());
  }
}

void finish_abandoned_claims(RegistryCore& core) {
  for (const OwnedClaim& owned : core.database.read(load_claims)) {
    if (owner_is_gone(owned.owner)) {
      empty_claimed_folder(core, owned.claim);
    }
  }
}

}  // namespace onnxop
