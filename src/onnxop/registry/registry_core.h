#pragma once
// What the classes of this room share: the open database, the folders, the clock, and who acts. No
// part of the room's interface.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "onnxop/base/clock.h"
#include "onnxop/registry/blob_store.h"
#include "onnxop/registry/database.h"
#include "onnxop/registry/store_location.h"

namespace onnxop {

struct RegistryCore {
  RegistryCore(const StoreLocation& store, const Clock& store_clock, bool must_exist);

  std::int64_t now_ms() const { return to_unix_ms(clock.wall()); }
  const std::filesystem::path& dir() const { return location.folder; }
  std::filesystem::path runs_dir() const { return dir() / "runs"; }
  std::filesystem::path models_dir() const { return dir() / "models"; }

  StoreLocation location;  // its folder is absolute
  const Clock& clock;
  Database database;
  std::unique_ptr<BlobStore> blobs;
  std::string actor;
};

/// The number of an active or deleted run, by its whole id; throws Error{kNotFound}. Inside a
/// transaction.
std::int64_t run_number(Session& session, const RegistryCore& core, std::string_view run_id);

/// Throws Error{kInvalidArgument} for an empty name of a `what` ("parameter", "metric", "tag"), and
/// for one over `max_chars` characters, with a NUL in it, or that is no UTF-8.
void check_key(std::string_view what, std::string_view key, std::size_t max_chars);

/// A metric's value as the tables hold it: SQLite has no NaN.
double metric_from_columns(double value, int is_nan);

}  // namespace onnxop
