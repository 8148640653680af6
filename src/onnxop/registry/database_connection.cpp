#include "onnxop/registry/database_connection.h"

#include <utility>

#include "onnxop/base/error.h"

namespace onnxop {

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t';
    if (!space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) {
    line.pop_back();
  }
  return line;
}

DatabaseConnection::DatabaseConnection(std::shared_ptr<const Dialect> dialect, Use use)
    : dialect_(std::move(dialect)), use_(use) {}

DatabaseConnection::~DatabaseConnection() = default;

void DatabaseConnection::open() {
  auto session = dialect_->connect();
  if (use_ == Use::kWrite) {
    dialect_->prepare_to_write(*session);
  }
  session_ = std::move(session);
  lost_ = false;
  waits_ = true;
}

void DatabaseConnection::let_commits_wait(bool wait) {
  wanted_ = wait;
  if (session_ && wanted_ != waits_) {
    dialect_->let_commits_wait(*session_, wanted_);
    waits_ = wanted_;
  }
}

void DatabaseConnection::begin(const char* statement) {
  if (session_) {
    try {
      *session_ << statement;
      return;
    } catch (const soci::soci_error&) {
      roll_back();
      if (session_) {
        throw;
      }
    }
  }
  open();
  let_commits_wait(wanted_);
  *session_ << statement;
}

void DatabaseConnection::roll_back() {
  try {
    *session_ << "ROLLBACK";
  } catch (const soci::soci_error&) {
    // Either the database has rolled back by itself, or it is gone; the error that led here is
    // already on its way.
  }
  if (dialect_->is_lost(*session_)) {
    session_.reset();
    lost_ = true;
  }
}

DatabaseConnection::Transaction::Transaction(DatabaseConnection& connection, const char* begin)
    : connection_(connection) {
  connection_.begin(begin);
}

DatabaseConnection::Transaction::~Transaction() {
  if (open_) {
    connection_.roll_back();
  }
}

void DatabaseConnection::Transaction::commit() {
  const Dialect& dialect = connection_.dialect();
  try {
    connection_.session() << dialect.commit();
  } catch (const soci::soci_error& error) {
    if (dialect.is_lost(connection_.session())) {
      fail(ErrorCode::kUnavailable,
           "{}: the connection broke while a change was committed; whether it was is not known: {}",
           dialect.name(), one_line(error.get_error_message()));
    }
    throw;
  }
  open_ = false;
}

void DatabaseConnection::rethrow_as_error() {
  try {
    throw;
  } catch (const soci::soci_error& error) {
    if (session_) {
      session_->forget_kept();
    }
    DatabaseFailure failure = dialect_->explain(error);
    if (lost_) {
      failure = {ErrorCode::kUnavailable, "the database went away"};
    }
    const std::string message = format("{}: {}: {}", dialect_->name(), failure.meaning,
                                       one_line(error.get_error_message()));
    if (failure.storage) {
      throw StorageError(*failure.storage, message);
    }
    throw Error(failure.code, message);
  }
}

}  // namespace onnxop
