#pragma once
// What the Registry's files share; no part of the room's interface.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "onnxop/registry/database.h"
#include "onnxop/registry/registry.h"

namespace onnxop {

/// Throws Error{kInvalidArgument} for an empty name of a `what`: a parameter, metric, tag.
void check_key(std::string_view what, std::string_view key);

/// A metric's value as the tables hold it: SQLite has no NaN.
double metric_from_columns(double value, int is_nan);

struct Registry::Impl {
  Impl(const std::filesystem::path& store_dir, const Clock& store_clock, bool must_exist);

  std::int64_t now_ms() const { return to_unix_ms(clock.wall()); }
  std::filesystem::path runs_dir() const { return dir / "runs"; }
  std::filesystem::path version_dir(std::string_view name, std::int64_t version) const;

  /// Throws Error{kNotFound} unless the run is there; `session` must be inside a transaction.
  void require_run(soci::session& session, std::string_view run_id) const;

  // The steps of register_model(), between which the process may end at any moment.
  std::int64_t claim_version(std::string_view name);
  void publish_claim(const ModelVersion& version, const std::vector<ModelFile>& files);
  /// Removes the claim and what was copied for it, unless it was published meanwhile.
  void discard_claim(std::string_view name, std::int64_t version);
  /// Discards the claims of processes that are gone.
  void discard_abandoned_claims();

  std::filesystem::path dir;
  const Clock& clock;
  Database database;
};

}  // namespace onnxop
