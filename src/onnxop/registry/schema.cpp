#include "onnxop/registry/schema.h"

#include <array>
#include <string>

#include <soci/soci.h>

#include "onnxop/base/error.h"
#include "onnxop/registry/database.h"

namespace onnxop {
namespace {

// What is listed here has been shipped: it is never changed, only followed by further migrations.
// SQL that SQLite and PostgreSQL both take. Times are milliseconds since 1970 UTC.
constexpr std::array<std::string_view, 10> kVersion1 = {
    // `number` counts the runs, for their order; `owner` is the process that writes a running run
    // (process_owner.h).
    R"(CREATE TABLE runs (
      run_id TEXT NOT NULL PRIMARY KEY,
      number BIGINT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      status TEXT NOT NULL,
      start_time_ms BIGINT NOT NULL,
      end_time_ms BIGINT,
      owner TEXT NOT NULL))",
    R"(CREATE TABLE params (
      run_id TEXT NOT NULL REFERENCES runs (run_id),
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (run_id, key)))",
    R"(CREATE TABLE tags (
      run_id TEXT NOT NULL REFERENCES runs (run_id),
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (run_id, key)))",
    // Every point logged; `point` counts those of one key. SQLite has no NaN: is_nan is 1 and the
    // value 0.
    R"(CREATE TABLE metrics (
      run_id TEXT NOT NULL REFERENCES runs (run_id),
      key TEXT NOT NULL,
      point BIGINT NOT NULL,
      step BIGINT NOT NULL,
      timestamp_ms BIGINT NOT NULL,
      value DOUBLE PRECISION NOT NULL,
      is_nan INTEGER NOT NULL,
      PRIMARY KEY (run_id, key, point)))",
    R"(CREATE TABLE latest_metrics (
      run_id TEXT NOT NULL REFERENCES runs (run_id),
      key TEXT NOT NULL,
      points BIGINT NOT NULL,
      step BIGINT NOT NULL,
      timestamp_ms BIGINT NOT NULL,
      value DOUBLE PRECISION NOT NULL,
      is_nan INTEGER NOT NULL,
      PRIMARY KEY (run_id, key)))",
    // `last_version` is the last number given out, published or not: a number is never used twice.
    R"(CREATE TABLE models (
      name TEXT NOT NULL PRIMARY KEY,
      created_ms BIGINT NOT NULL,
      last_version BIGINT NOT NULL))",
    R"(CREATE TABLE model_versions (
      name TEXT NOT NULL REFERENCES models (name),
      version BIGINT NOT NULL,
      run_id TEXT REFERENCES runs (run_id),
      source TEXT NOT NULL,
      created_ms BIGINT NOT NULL,
      PRIMARY KEY (name, version)))",
    R"(CREATE TABLE model_files (
      name TEXT NOT NULL,
      version BIGINT NOT NULL,
      path TEXT NOT NULL,
      bytes BIGINT NOT NULL,
      sha256 TEXT NOT NULL,
      PRIMARY KEY (name, version, path),
      FOREIGN KEY (name, version) REFERENCES model_versions (name, version)))",
    R"(CREATE TABLE model_aliases (
      name TEXT NOT NULL,
      alias TEXT NOT NULL,
      version BIGINT NOT NULL,
      PRIMARY KEY (name, alias),
      FOREIGN KEY (name, version) REFERENCES model_versions (name, version)))",
    // Numbers given out whose files `owner` is still copying.
    R"(CREATE TABLE version_claims (
      name TEXT NOT NULL REFERENCES models (name),
      version BIGINT NOT NULL,
      owner TEXT NOT NULL,
      PRIMARY KEY (name, version)))",
};

constexpr std::array<Migration, 1> kMigrations = {{{1, kVersion1}}};

std::int64_t read_version(soci::session& session) {
  long long version = 0;
  session << "SELECT COALESCE(MAX(version), 0) FROM schema_version", soci::into(version);
  return version;
}

void refuse_newer(const Database& database, std::int64_t found, std::int64_t known) {
  if (found > known) {
    fail(ErrorCode::kFailedPrecondition,
         "{}: this store was made by a newer onnxop: its schema is {}, this program knows up to "
         "{}; use that program",
         database.file().native(), found, known);
  }
}

}  // namespace

std::span<const Migration> store_migrations() {
  return kMigrations;
}

std::int64_t schema_version(Database& database) {
  const auto tables = database.tables();
  if (tables.contains("schema_version")) {
    return database.read(read_version);
  }
  if (!tables.empty()) {
    fail(ErrorCode::kFailedPrecondition, "{}: this is the database of some other program",
         database.file().native());
  }
  return 0;
}

void migrate(Database& database, std::span<const Migration> migrations, std::int64_t now_ms) {
  const std::int64_t known = migrations.empty() ? 0 : migrations.back().version;
  const std::int64_t found = schema_version(database);
  refuse_newer(database, found, known);
  if (found == known) {
    return;
  }
  database.write([](soci::session& session) {
    session << "CREATE TABLE IF NOT EXISTS schema_version ("
               "version BIGINT NOT NULL PRIMARY KEY, applied_ms BIGINT NOT NULL)";
  });
  for (const Migration& migration : migrations) {
    database.write([&](soci::session& session) {
      const std::int64_t version = read_version(session);  // another process may be faster
      refuse_newer(database, version, known);
      if (migration.version <= version) {
        return;
      }
      for (const std::string_view statement : migration.statements) {
        session << statement;
      }
      const long long number = migration.version;
      const long long applied_ms = now_ms;
      session << "INSERT INTO schema_version (version, applied_ms) VALUES (:version, :applied_ms)",
          soci::use(number), soci::use(applied_ms);
    });
  }
}

}  // namespace onnxop
