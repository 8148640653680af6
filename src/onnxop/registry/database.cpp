#include "onnxop/registry/database.h"

#include <algorithm>
#include <exception>

#include <soci/soci.h>

namespace onnxop {
namespace {

constexpr std::chrono::seconds kLongestWithoutDisk(1);

}  // namespace

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

Database::Database(std::unique_ptr<Dialect> dialect, const Clock& clock)
    : dialect_(std::move(dialect)),
      group_(GroupCommit::of(dialect_->address())),
      clock_(clock),
      waited_(clock.steady()) {
  try {
    session_ = dialect_->connect();
  } catch (...) {
    rethrow_as_error();
  }
}

Database::~Database() = default;

std::set<std::string> Database::tables() {
  return read([this](soci::session& session) {
    std::set<std::string> names;
    std::string name;
    soci::statement select = (session.prepare << dialect_->select_tables(), soci::into(name));
    select.execute();
    while (select.fetch()) {
      names.insert(name);
    }
    return names;
  });
}

void Database::write_grouped(std::function<void(soci::session&)> body, bool waits_for_disk) {
  GroupedWrite write{.body = std::move(body), .waits_for_disk = waits_for_disk};
  group_->run(write, [this](const auto& group) { commit_group(group); });
  if (write.error) {
    std::rethrow_exception(write.error);
  }
}

void Database::commit_group(const std::vector<GroupedWrite*>& group) {
  try {
    const SteadyTime now = clock_.steady();
    const bool wait = std::ranges::any_of(group, &GroupedWrite::waits_for_disk) ||
                      now - waited_ >= kLongestWithoutDisk;
    let_commit_wait(wait);
    Transaction transaction(*this, dialect_->begin_write());
    for (GroupedWrite* write : group) {
      run_in_group(*write, group.size() == 1);
    }
    if (std::ranges::any_of(group, [](const GroupedWrite* write) { return !write->error; })) {
      transaction.commit();
      waited_ = wait ? now : waited_;
    }
  } catch (...) {
    for (GroupedWrite* write : group) {
      if (!write->error) {
        write->error = std::current_exception();
      }
    }
  }
  for (GroupedWrite* write : group) {
    if (write->error) {
      try {
        try {
          std::rethrow_exception(write->error);
        } catch (...) {
          rethrow_as_error();
        }
      } catch (...) {
        write->error = std::current_exception();
      }
    }
  }
}

// Of a write that fails nothing stays, and the others go on; where the database has taken the whole
// transaction back (a full disk), its failure is that of all.
void Database::run_in_group(GroupedWrite& write, bool alone) {
  try {
    if (alone) {
      write.body(*session_);
      return;
    }
    *session_ << "SAVEPOINT one_write";
    write.body(*session_);
    *session_ << "RELEASE SAVEPOINT one_write";
  } catch (...) {
    write.error = std::current_exception();
    if (alone) {
      return;
    }
    try {
      *session_ << "ROLLBACK TO SAVEPOINT one_write";
      *session_ << "RELEASE SAVEPOINT one_write";
    } catch (const soci::soci_error&) {
      std::rethrow_exception(write.error);
    }
  }
}

/// A new session's commits wait.
void Database::let_commit_wait(bool wait) {
  if (session_ && wait != waits_) {
    dialect_->let_commits_wait(*session_, wait);
    waits_ = wait;
  }
}

void Database::begin(const char* statement) {
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
  session_ = dialect_->connect();
  lost_ = false;
  waits_ = true;
  *session_ << statement;
}

void Database::roll_back() {
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

Database::Transaction::Transaction(Database& database, const char* begin) : database_(database) {
  database_.begin(begin);
}

Database::Transaction::~Transaction() {
  if (open_) {
    database_.roll_back();
  }
}

void Database::Transaction::commit() {
  try {
    *database_.session_ << database_.dialect_->commit();
  } catch (const soci::soci_error& error) {
    if (database_.dialect_->is_lost(*database_.session_)) {
      fail(ErrorCode::kUnavailable,
           "{}: the connection broke while a change was committed; whether it was is not known: {}",
           database_.name(), one_line(error.get_error_message()));
    }
    throw;
  }
  open_ = false;
}

void Database::rethrow_as_error() const {
  try {
    throw;
  } catch (const soci::soci_error& error) {
    DatabaseFailure failure = dialect_->explain(error);
    if (lost_) {
      failure = {ErrorCode::kUnavailable, "the database went away"};
    }
    const std::string message =
        format("{}: {}: {}", name(), failure.meaning, one_line(error.get_error_message()));
    if (failure.storage) {
      throw StorageError(*failure.storage, message);
    }
    throw Error(failure.code, message);
  }
}

}  // namespace onnxop
