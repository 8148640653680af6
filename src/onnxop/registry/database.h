#pragma once
// The database of a store: SQLite or PostgreSQL, opened, with transactions, and with its errors as
// Error. What differs between the two stands in dialect.h; SQL that both understand in schema.cpp
// and in the files of the subjects.
//
// One thread at a time; any number of processes and Database objects on one database. What a
// write() committed is on disk; what a write_log() did outlives this process at once, and is on
// disk soon.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/registry/database_connection.h"
#include "onnxop/registry/dialect.h"
#include "onnxop/registry/group_commit.h"

namespace onnxop {

class Database {
 public:
  /// Connects to what `dialect` is for. Throws Error{kDataLoss} when a file is no SQLite database,
  /// {kIo} when it cannot be opened or written, {kUnavailable} when a server cannot be reached.
  /// `clock` outlives this.
  Database(std::unique_ptr<Dialect> dialect, const Clock& clock);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// For messages: the file, or the server's URL without its password.
  const std::string& name() const { return dialect_->name(); }
  /// False once a read found that the server went away; the next connects to it again.
  bool is_connected() const { return !reads_.is_lost(); }
  std::set<std::string> tables();
  /// A statement of a migration in this database's words (Dialect::adapt).
  std::string adapt(std::string_view statement) const { return dialect_->adapt(statement); }

  /// Calls body(Session&) alone among all writers, and commits; nothing of it stays when it
  /// throws. Waits for other writers up to 30 seconds. The database's errors come out as
  /// Error{kDataLoss}, {kIo} (a StorageError where there is no room, or no leave to write),
  /// {kUnavailable}, {kTooLarge} or {kInternal}. A server that was gone
  /// and is back is connected to again before `body` is called, which is called once at most. When
  /// the connection breaks during the commit, the Error{kUnavailable} says that its fate is not
  /// known.
  /// Writes of several threads may become one transaction (group_commit.h): `body` may be called on
  /// another thread, while this one waits, and is alone all the same.
  template <typename Body>
  auto write(Body&& body) {
    using Result = std::invoke_result_t<Body, Session&>;
    if constexpr (std::is_void_v<Result>) {
      write_grouped([&](Session& session) { body(session); });
    } else {
      std::optional<Result> result;
      write_grouped([&](Session& session) { result.emplace(body(session)); });
      return Result(std::move(*result));
    }
  }

  /// As write(), for what is written often, and where a power cut may take the latest: the commit
  /// does not wait for the disk, unless none of this process has for a second. Every commit that
  /// does, of any process, brings all before it to the disk too. A PostgreSQL server's always wait.
  template <typename Body>
  void write_log(Body&& body) {
    write_grouped([&](Session& session) { body(session); }, false);
  }

  /// Calls body(Session&) on one unchanging state of the database; never waits for writers.
  template <typename Body>
  auto read(Body&& body) {
    try {
      DatabaseConnection::Transaction transaction(reads_, dialect_->begin_read());
      if constexpr (std::is_void_v<std::invoke_result_t<Body, Session&>>) {
        body(reads_.session());
        transaction.commit();
      } else {
        auto result = body(reads_.session());
        transaction.commit();
        return result;
      }
    } catch (...) {
      reads_.rethrow_as_error();
    }
  }

 private:
  void write_grouped(std::function<void(Session&)> body, bool waits_for_disk = true);

  std::shared_ptr<const Dialect> dialect_;
  DatabaseConnection reads_;
  std::shared_ptr<GroupCommit> group_;
  const Clock& clock_;
};

}  // namespace onnxop
