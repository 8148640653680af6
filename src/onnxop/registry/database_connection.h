#pragma once
// A connection to a store's database, made again when it was lost, and its transactions. No part of
// the room's interface.
//
// One thread at a time; any number of them on one database.

#include <memory>

#include "onnxop/registry/dialect.h"
#include "onnxop/registry/session.h"

namespace onnxop {

class DatabaseConnection {
 public:
  enum class Use { kRead, kWrite };

  /// Connects at open(), or with the first transaction.
  DatabaseConnection(std::shared_ptr<const Dialect> dialect, Use use);
  ~DatabaseConnection();
  DatabaseConnection(const DatabaseConnection&) = delete;
  DatabaseConnection& operator=(const DatabaseConnection&) = delete;

  const Dialect& dialect() const { return *dialect_; }
  /// Throws as Dialect::connect.
  void open();
  /// True once the server went away; the next transaction connects to it again.
  bool is_lost() const { return lost_; }
  /// Within a transaction.
  Session& session() { return *session_; }
  /// Between transactions: whether commits wait until what they wrote is on disk. They do at first.
  void let_commits_wait(bool wait);
  /// In a handler: throws what is handled; a database's error becomes an Error that says what it
  /// means. Between transactions.
  [[noreturn]] void rethrow_as_error();

  class Transaction {
   public:
    /// Connects where there is no connection, or where `begin` shows that it is gone.
    Transaction(DatabaseConnection& connection, const char* begin);
    ~Transaction();  // rolls back what was not committed
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

   private:
    DatabaseConnection& connection_;
    bool open_ = true;
  };

 private:
  void begin(const char* statement);
  void roll_back();

  std::shared_ptr<const Dialect> dialect_;
  const Use use_;
  std::unique_ptr<Session> session_;
  bool lost_ = false;   // the server went away, and there is no session now
  bool waits_ = true;   // the session's commits do, for the disk
  bool wanted_ = true;  // they are to
};

}  // namespace onnxop
