#pragma once
// What differs between the databases that a store may have: how to connect, how transactions begin,
// a few words of SQL, and what errors mean. Stands behind Database; no part of the room's
// interface.
//
// Safe to use from any thread.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "onnxop/base/storage_error.h"

namespace soci {
class soci_error;
}

namespace onnxop {

class Session;

/// What an error of the database says to this program.
struct DatabaseFailure {
  ErrorCode code = ErrorCode::kInternal;
  std::string_view meaning = {};
  std::optional<StorageFault> storage = {};  // with kIo: why it cannot store anything
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  /// Names the database in messages; without a password.
  virtual const std::string& name() const = 0;
  /// The whole URL, or the file that is there now, of whatever name: never to be shown.
  virtual std::string address() const = 0;
  /// A session that is ready for transactions. Throws Error, or soci_error for explain().
  virtual std::unique_ptr<Session> connect() const = 0;
  /// Called once with a session that is to write. Throws soci_error.
  virtual void prepare_to_write(Session& session) const = 0;
  /// One statement, or several with ';'. A transaction that writes is alone among those that do.
  virtual const char* begin_write() const = 0;
  virtual const char* begin_read() const = 0;
  /// Fails where an earlier statement of the transaction did.
  virtual const char* commit() const = 0;
  /// A statement of a migration in this database's words: `{clustered}`, and text that compares by
  /// its bytes.
  virtual std::string adapt(std::string_view statement) const = 0;
  /// Between transactions: whether the commits that follow wait until what they wrote is on disk.
  /// Those that do not still outlive this process; where that cannot be had, all of them wait.
  virtual void let_commits_wait(Session& session, bool wait) const = 0;
  virtual const char* select_tables() const = 0;
  virtual DatabaseFailure explain(const soci::soci_error& error) const = 0;
  /// True when the session is of no more use, for the database has gone.
  virtual bool is_lost(Session& session) const = 0;
};

/// `file` need not be there: an empty one is made.
std::unique_ptr<Dialect> sqlite_dialect(const std::filesystem::path& file);

/// Throws Error{kInvalidArgument} for what check_postgresql_url() refuses. SOCI's library for
/// PostgreSQL, and with it libpq, is loaded at the first connect(), so that stores in SQLite do not
/// pay for it. Throws Error{kUnsupported}, then, when it is not installed.
std::unique_ptr<Dialect> postgresql_dialect(const std::string& url);

/// A message of a database in one line.
std::string one_line(std::string_view text);

}  // namespace onnxop
