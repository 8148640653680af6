#include "onnxop/registry/database.h"

#include <chrono>
#include <thread>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr int kBusyTimeoutMs = 30'000;

// SOCI reads "key=value" words from its connect string, and takes a string without '=' as the
// file's name.
std::string connect_string(const std::filesystem::path& file) {
  const std::string& name = file.native();
  if (name.find('=') == std::string::npos) {
    return name;
  }
  if (name.find('"') != std::string::npos) {
    fail(ErrorCode::kInvalidArgument,
         "the store's path {} has both '=' and '\"' in it, which SQLite's driver cannot tell apart",
         name);
  }
  return "dbname=\"" + name + "\"";
}

ErrorCode code_of(int sqlite_result) {
  switch (sqlite_result & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kDataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
      return ErrorCode::kIo;
    default:
      return ErrorCode::kInternal;
  }
}

std::string_view meaning_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDataLoss:
      return "the database is damaged";
    case ErrorCode::kUnavailable:
      return "the database is held by another process for too long";
    case ErrorCode::kIo:
      return "the database cannot be read or written (its folder must be writable, also to read)";
    default:
      return "the database refused a statement";
  }
}

bool is_busy(const soci::soci_error& error) {
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  return sqlite != nullptr && code_of(sqlite->result()) == ErrorCode::kUnavailable;
}

// SQLite does not wait for its lock when it changes a new file to WAL, so waiting is done here.
void set_write_ahead_log(soci::session& session) {
  constexpr std::chrono::milliseconds kPause(2);
  for (auto left = std::chrono::milliseconds(kBusyTimeoutMs);; left -= kPause) {
    try {
      std::string mode;
      session << "PRAGMA journal_mode = WAL", soci::into(mode);
      if (mode != "wal") {
        fail(ErrorCode::kIo, "SQLite cannot keep a write-ahead log here (journal mode '{}')", mode);
      }
      return;
    } catch (const soci::soci_error& error) {
      if (!is_busy(error) || left <= kPause) {
        throw;
      }
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace

Database::Database(std::filesystem::path file, bool create) : file_(std::move(file)) {
  std::error_code ignored;
  if (!create && !std::filesystem::exists(file_, ignored)) {
    fail(ErrorCode::kNotFound, "there is no database {}", file_.native());
  }
  try {
    session_ = std::make_unique<soci::session>(soci::sqlite3, connect_string(file_));
    configure();
  } catch (...) {
    rethrow_as_error();
  }
}

Database::~Database() = default;

void Database::configure() {
  *session_ << "PRAGMA busy_timeout = " << kBusyTimeoutMs;
  std::string mode;
  *session_ << "PRAGMA journal_mode", soci::into(mode);
  if (mode != "wal") {
    set_write_ahead_log(*session_);
  }
  *session_ << "PRAGMA synchronous = FULL";
  *session_ << "PRAGMA foreign_keys = ON";
}

std::set<std::string> Database::tables() {
  return read([](soci::session& session) {
    std::set<std::string> names;
    std::string name;
    soci::statement select =
        (session.prepare << "SELECT name FROM sqlite_master WHERE type = 'table'",
         soci::into(name));
    select.execute();
    while (select.fetch()) {
      names.insert(name);
    }
    return names;
  });
}

std::string Database::adapt(std::string_view statement) const {
  constexpr std::string_view kWord = "{clustered}";
  std::string result(statement);
  if (const auto at = result.find(kWord); at != std::string::npos) {
    result.replace(at, kWord.size(), "WITHOUT ROWID");
  }
  return result;
}

Database::Transaction::Transaction(Database& database, const char* begin) : database_(database) {
  *database_.session_ << begin;
}

Database::Transaction::~Transaction() {
  if (!open_) {
    return;
  }
  try {
    *database_.session_ << "ROLLBACK";
  } catch (const soci::soci_error&) {
    // SQLite has rolled back by itself; the error that led here is already on its way.
  }
}

void Database::Transaction::commit() {
  *database_.session_ << "COMMIT";
  open_ = false;
}

void Database::rethrow_as_error() const {
  try {
    throw;
  } catch (const soci::sqlite3_soci_error& error) {
    const ErrorCode code = code_of(error.result());
    fail(code, "{}: {}: {}", file_.native(), meaning_of(code), error.get_error_message());
  } catch (const soci::soci_error& error) {
    fail(ErrorCode::kInternal, "{}: {}", file_.native(), error.get_error_message());
  }
}

}  // namespace onnxop
