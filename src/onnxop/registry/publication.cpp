// How a model version becomes visible: a number is claimed (transaction), the files are copied
// aside and renamed into their place, then the version is published and its claim removed
// (transaction). A process that ends in between leaves a claim and perhaps a folder, both
// invisible; the next registration discards them once the process is gone.

#include <soci/soci.h>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/registry/process_owner.h"
#include "onnxop/registry/registry_impl.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using soci::into;
using soci::use;

struct Claim {
  std::string name;
  long long version = 0;
  std::string owner;
};

std::vector<Claim> load_claims(soci::session& session) {
  std::vector<Claim> claims;
  Claim claim;
  soci::statement select = (session.prepare << "SELECT name, version, owner FROM version_claims",
                            into(claim.name), into(claim.version), into(claim.owner));
  select.execute();
  while (select.fetch()) {
    claims.push_back(claim);
  }
  return claims;
}

// The version's folder, and those that it was staged in.
void remove_files_of(const fs::path& version_dir) {
  std::error_code ignored;
  const std::string staging_prefix = "." + version_dir.filename().native() + ".";
  std::vector<fs::path> doomed{version_dir};
  for (const auto& entry : fs::directory_iterator(version_dir.parent_path(), ignored)) {
    if (entry.path().filename().native().starts_with(staging_prefix)) {
      doomed.push_back(entry.path());
    }
  }
  for (const fs::path& path : doomed) {
    std::error_code error;
    if (!fs::exists(path, error)) {
      continue;
    }
    fs::remove_all(path, error);
    if (error) {
      log_warning("cannot remove {}, left by an unfinished registration: {}", path.native(),
                  error.message());
    }
  }
}

}  // namespace

std::int64_t Registry::Impl::claim_version(std::string_view name) {
  const std::string model(name);
  const std::string owner = current_process_owner();
  const long long now = now_ms();
  return database.write([&](soci::session& session) {
    session << "INSERT INTO models (name, created_ms, last_version) VALUES (:name, :now, 0) "
               "ON CONFLICT (name) DO NOTHING",
        use(model), use(now);
    long long version = 0;
    session << "SELECT last_version FROM models WHERE name = :name", use(model), into(version);
    std::error_code ignored;
    do {
      ++version;
    } while (fs::exists(version_dir(name, version), ignored));
    session << "UPDATE models SET last_version = :version WHERE name = :name", use(version),
        use(model);
    session << "INSERT INTO version_claims (name, version, owner) VALUES (:name, :version, :owner)",
        use(model), use(version), use(owner);
    return version;
  });
}

void Registry::Impl::publish_claim(const ModelVersion& version,
                                   const std::vector<ModelFile>& files) {
  const long long number = version.version;
  const long long created_ms = version.created_ms;
  soci::indicator has_run = version.run_id.empty() ? soci::i_null : soci::i_ok;
  database.write([&](soci::session& session) {
    session << "INSERT INTO model_versions (name, version, run_id, source, created_ms) "
               "VALUES (:name, :version, :run, :source, :created)",
        use(version.name), use(number), use(version.run_id, has_run), use(version.source),
        use(created_ms);
    for (const ModelFile& file : files) {
      const long long bytes = file.bytes;
      session << "INSERT INTO model_files (name, version, path, bytes, sha256) "
                 "VALUES (:name, :version, :path, :bytes, :sha256)",
          use(version.name), use(number), use(file.path), use(bytes), use(file.sha256);
    }
    session << "DELETE FROM version_claims WHERE name = :name AND version = :version",
        use(version.name), use(number);
  });
}

void Registry::Impl::discard_claim(std::string_view name, std::int64_t version) {
  const std::string model(name);
  const long long number = version;
  try {
    database.write([&](soci::session& session) {
      int claims = 0;
      session << "SELECT COUNT(*) FROM version_claims WHERE name = :name AND version = :version",
          use(model), use(number), into(claims);
      if (claims == 0) {
        return;
      }
      remove_files_of(version_dir(model, number));
      session << "DELETE FROM version_claims WHERE name = :name AND version = :version", use(model),
          use(number);
    });
  } catch (const Error& error) {
    log_warning("version {} of model '{}' stays claimed: {}", version, name, error.what());
  }
}

void Registry::Impl::discard_abandoned_claims() {
  for (const Claim& claim : database.read(load_claims)) {
    if (owner_is_gone(claim.owner)) {
      discard_claim(claim.name, claim.version);
    }
  }
}

}  // namespace onnxop
