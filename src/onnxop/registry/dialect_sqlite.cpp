#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <system_error>
#include <thread>

#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include "onnxop/registry/dialect.h"
#include "onnxop/registry/session.h"
#include "onnxop/registry/wal_checkpoints.h"

namespace onnxop {
namespace {

constexpr int kBusyTimeoutMs = 30'000;
constexpr int kCacheKib = 16 << 10;           // of a connection, at most
constexpr char kMagic[] = "SQLite format 3";  // and a NUL
constexpr std::string_view kClustered = "{clustered}";

// SOCI reads "key=value" words from its connect string, and takes a string without '=' as the
// file's name.
std::string connect_string(const std::string& file) {
  if (file.find('=') == std::string::npos) {
    return file;
  }
  if (file.find('"') != std::string::npos) {
    fail(ErrorCode::kInvalidArgument,
         "the store's path {} has both '=' and '\"' in it, which SQLite's driver cannot tell apart",
         file);
  }
  return "dbname=\"" + file + "\"";
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
    case SQLITE_TOOBIG:
      return ErrorCode::kTooLarge;
    default:
      return ErrorCode::kInternal;
  }
}

std::optional<StorageFault> storage_fault_of(int sqlite_result) {
  switch (sqlite_result & 0xff) {
    case SQLITE_FULL:
      return StorageFault::kFull;
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return StorageFault::kNotWritable;
    default:
      return std::nullopt;
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
    case ErrorCode::kTooLarge:
      return "a value is too large for the database";
    default:
      return "the database refused a statement";
  }
}

bool is_busy(const soci::soci_error& error) {
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  return sqlite != nullptr && code_of(sqlite->result()) == ErrorCode::kUnavailable;
}

// What is wrong with the length of a database's file, by its header (the file format's
// documentation, section 1.3); "": nothing, or it cannot be told. SQLite itself takes a last page
// that is cut short for one of zeros.
std::string find_cut(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::array<char, 100> header{};
  if (!stream.read(header.data(), header.size())) {
    return {};
  }
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = at; i < at + bytes; ++i) {
      value = value << 8 | static_cast<unsigned char>(header[i]);
    }
    return value;
  };
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  const std::uint64_t page = number(16, 2) == 1 ? 65536 : number(16, 2);
  const std::uint64_t pages = number(28, 4);
  const bool is_database =
      std::string_view(header.data(), sizeof(kMagic)) == std::string_view(kMagic, sizeof(kMagic));
  const bool count_is_valid = number(24, 4) == number(92, 4);
  if (error || !is_database || page == 0 ||
      (size % page == 0 && (!count_is_valid || size >= pages * page))) {
    return {};
  }
  return format("it has {} bytes, but its header says {} pages of {} bytes", size, pages, page);
}

// While there is a write-ahead log, pages may be there that are not in the file yet. Who closes the
// database last removes it when all are. Another process may just be doing so: what is wrong then
// is right when it is looked at again.
void refuse_cut(const std::filesystem::path& file) {
  constexpr int kLooks = 3;
  std::string fault;
  for (int look = 0; look < kLooks; ++look) {
    std::error_code absent;
    const auto log_is_there = [&] {
      return std::filesystem::exists(file.native() + "-wal", absent);
    };
    if (log_is_there()) {
      return;
    }
    fault = find_cut(file);
    if (fault.empty() || log_is_there()) {
      return;
    }
  }
  fail(ErrorCode::kDataLoss, "{}: {}: {}", file.native(), meaning_of(ErrorCode::kDataLoss), fault);
}

// One thread at a time uses a session, so SQLite's locks around each of its calls keep nobody out,
// and nobody asks how much memory it has taken.
void leave_out_locks() {
  static const int kDone [[maybe_unused]] = sqlite_api::sqlite3_config(SQLITE_CONFIG_MULTITHREAD) |
                                            sqlite_api::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

// SQLite does not wait for its lock when it changes a new file to WAL, so waiting is done here.
void set_write_ahead_log(Session& session) {
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

// What goes wrong here is no fault of the commit, and is tried again.
int after_commit(void* checkpoints, sqlite_api::sqlite3* database, const char* name, int pages) {
  if (static_cast<WalCheckpoints*>(checkpoints)->is_due(pages)) {
    sqlite_api::sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                          nullptr);
  }
  return SQLITE_OK;
}

class SqliteDialect : public Dialect {
 public:
  explicit SqliteDialect(const std::filesystem::path& file) : file_(file.native()) {}

  const std::string& name() const override { return file_; }
  // Who comes when the store was made anew does not write into what is left of the old one.
  std::string address() const override {
    struct stat status {};
    ::stat(file_.c_str(), &status);
    return format("{} {} {}", file_, status.st_dev, status.st_ino);
  }

  std::unique_ptr<Session> connect() const override {
    leave_out_locks();
    refuse_cut(file_);
    auto session = std::make_unique<Session>(soci::sqlite3, connect_string(file_));
    session->set_numbers_table("(SELECT value AS number FROM json_each(:numbers)) n");
    *session << "PRAGMA busy_timeout = " << kBusyTimeoutMs;
    std::string mode;
    *session << "PRAGMA journal_mode", soci::into(mode);
    if (mode != "wal") {
      set_write_ahead_log(*session);
    }
    let_commits_wait(*session, true);
    *session << "PRAGMA cache_size = -" << kCacheKib;
    *session << "PRAGMA foreign_keys = ON";
    *session << "PRAGMA secure_delete = FAST";
    return session;
  }

  void prepare_to_write(Session& session) const override {
    const auto checkpoints = std::make_shared<WalCheckpoints>(connect_string(file_));
    auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
    sqlite_api::sqlite3_wal_hook(backend->conn_, after_commit, checkpoints.get());
    session.keep(checkpoints);
  }

  const char* begin_write() const override { return "BEGIN IMMEDIATE"; }
  const char* begin_read() const override { return "BEGIN"; }
  const char* commit() const override { return "COMMIT"; }

  std::string adapt(std::string_view statement) const override {
    std::string result(statement);
    if (const auto at = result.find(kClustered); at != std::string::npos) {
      result.replace(at, kClustered.size(), "WITHOUT ROWID");
    }
    return result;
  }

  void let_commits_wait(Session& session, bool wait) const override {
    session << "PRAGMA synchronous = " << (wait ? "FULL" : "NORMAL");
  }

  const char* select_tables() const override {
    return "SELECT name FROM sqlite_master WHERE type = 'table'";
  }

  DatabaseFailure explain(const soci::soci_error& error) const override {
    const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    if (sqlite == nullptr) {
      return {ErrorCode::kInternal, meaning_of(ErrorCode::kInternal)};
    }
    const ErrorCode code = code_of(sqlite->result());
    return {code, meaning_of(code), storage_fault_of(sqlite->result())};
  }

  bool is_lost(Session&) const override { return false; }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Dialect> sqlite_dialect(const std::filesystem::path& file) {
  return std::make_unique<SqliteDialect>(file);
}

}  // namespace onnxop
