#pragma once
// The SQLite file of a store, and the one place that knows it is SQLite: opening, transactions, and
// what its errors mean. SQL that every database understands stands in schema.cpp and in the stores'
// files.
//
// One thread at a time; any number of processes and Database objects on one file. What a write()
// committed is on disk.

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace soci {
class session;
}

namespace onnxop {

class Database {
 public:
  /// Opens `file`; makes an empty one when it is not there and `create` is set. Throws
  /// Error{kDataLoss} when it is no SQLite database, {kIo} when it cannot be opened or written.
  Database(std::filesystem::path file, bool create);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::filesystem::path& file() const { return file_; }
  std::set<std::string> tables();
  /// A statement that makes a table, with `{clustered}` as this database says it.
  std::string adapt(std::string_view statement) const;

  /// Calls body(soci::session&) alone among all writers, and commits; nothing of it stays when it
  /// throws. Waits for other writers up to 30 seconds. SQLite's errors come out as
  /// Error{kDataLoss}, {kIo}, {kUnavailable} or {kInternal}.
  template <typename Body>
  auto write(Body&& body) {
    return in_transaction("BEGIN IMMEDIATE", std::forward<Body>(body));
  }

  /// Calls body(soci::session&) on one unchanging state of the database; never waits for writers.
  template <typename Body>
  auto read(Body&& body) {
    return in_transaction("BEGIN", std::forward<Body>(body));
  }

 private:
  class Transaction {
   public:
    Transaction(Database& database, const char* begin);
    ~Transaction();  // rolls back what was not committed
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

   private:
    Database& database_;
    bool open_ = true;
  };

  template <typename Body>
  auto in_transaction(const char* begin, Body&& body) {
    try {
      Transaction transaction(*this, begin);
      if constexpr (std::is_void_v<std::invoke_result_t<Body, soci::session&>>) {
        body(*session_);
        transaction.commit();
      } else {
        auto result = body(*session_);
        transaction.commit();
        return result;
      }
    } catch (...) {
      rethrow_as_error();
    }
  }

  [[noreturn]] void rethrow_as_error() const;
  void configure();

  std::filesystem::path file_;
  std::unique_ptr<soci::session> session_;
};

}  // namespace onnxop
