#include "onnxop/registry/schema.h"

#include <string>

#include "onnxop/base/error.h"
#include "onnxop/registry/database.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

std::int64_t read_version(Session& session) {
  long long version = 0;
  session << "SELECT COALESCE(MAX(version), 0) FROM schema_version", soci::into(version);
  return version;
}

void refuse_newer(const Database& database, std::int64_t found, std::int64_t known) {
  if (found > known) {
    fail(ErrorCode::kFailedPrecondition,
         "{}: this store was made by a newer onnxop: its schema is {}, this program knows up to "
         "{}; use that program",
         database.name(), found, known);
  }
}

}  // namespace

std::int64_t schema_version(Database& database) {
  const auto tables = database.tables();
  if (tables.contains("schema_version")) {
    return database.read(read_version);
  }
  if (!tables.empty()) {
    fail(ErrorCode::kFailedPrecondition,
         "{}: this is the database of some other program (it has a table '{}' and no "
         "'schema_version')",
         database.name(), *tables.begin());
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
  database.write([](Session& session) {
    session << "CREATE TABLE IF NOT EXISTS schema_version ("
               "version BIGINT NOT NULL PRIMARY KEY, applied_ms BIGINT NOT NULL)";
  });
  for (const Migration& migration : migrations) {
    database.write([&](Session& session) {
      const std::int64_t version = read_version(session);  // another process may be faster
      refuse_newer(database, version, known);
      if (migration.version <= version) {
        return;
      }
      for (const std::string_view statement : migration.statements) {
        session << database.adapt(statement);
      }
      const long long number = migration.version;
      const long long applied_ms = now_ms;
      session << "INSERT INTO schema_version (version, applied_ms) VALUES (:version, :applied_ms)",
          soci::use(number), soci::use(applied_ms);
    });
  }
}

}  // namespace onnxop
