#pragma once
// The tables of a store and how they got there: a numbered list of migrations, each applied once
// and in order.

#include <cstdint>
#include <span>
#include <string_view>

namespace onnxop {

class Database;

struct Migration {
  std::int64_t version;  // 1, 2, 3, … without gaps
  std::span<const std::string_view> statements;
};

/// All migrations of this program; the last one's number is the newest schema it knows.
std::span<const Migration> store_migrations();

/// The schema's number; 0 for a database without any table. Throws Error{kFailedPrecondition} for a
/// database of some other program.
std::int64_t schema_version(Database& database);

/// Brings the database to the last of `migrations`, each in a transaction of its own; several
/// processes may do so at once. Throws Error{kFailedPrecondition}, changing nothing, when the
/// database is newer than that.
void migrate(Database& database, std::span<const Migration> migrations, std::int64_t now_ms);

}  // namespace onnxop
