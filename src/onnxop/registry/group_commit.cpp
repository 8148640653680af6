#include "onnxop/registry/group_commit.h"

#include <algorithm>
#include <map>
#include <new>
#include <string>
#include <utility>

#include <unistd.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::size_t kMostInAGroup = 64;
constexpr std::chrono::seconds kLongestWithoutDisk(1);

// The group whose transaction this thread is in.
thread_local const GroupCommit* current_group = nullptr;

}  // namespace

GroupCommit::GroupCommit(std::shared_ptr<const Dialect> dialect)
    : connection_(std::move(dialect), DatabaseConnection::Use::kWrite) {}

// What a forked process opens is not its parent's: neither database can be spoken to by both.
std::shared_ptr<GroupCommit> GroupCommit::of(const std::shared_ptr<const Dialect>& dialect) {
  static std::mutex mutex;
  static std::map<std::pair<pid_t, std::string>, std::weak_ptr<GroupCommit>> groups;
  const std::lock_guard lock(mutex);
  std::erase_if(groups, [](const auto& entry) { return entry.second.expired(); });
  auto& known = groups[{::getpid(), dialect->address()}];
  auto group = known.lock();
  if (!group) {
    group = std::make_shared<GroupCommit>(dialect);
    known = group;
  }
  return group;
}

void GroupCommit::run(GroupedWrite& write, const Clock& clock) {
  if (current_group == this) {
    fail(ErrorCode::kInternal, "a write to the database within a write to it");
  }
  std::unique_lock lock(mutex_);
  waiting_.push_back(&write);
  changed_.wait(lock, [&] { return write.done || !busy_; });
  if (write.done) {
    return;
  }
  // Who is not done and finds nobody busy commits the next groups, until it was in one.
  busy_ = true;
  while (!write.done) {
    const Group group = take_group(write);
    lock.unlock();
    current_group = this;
    commit(group, clock);
    current_group = nullptr;
    lock.lock();
    for (GroupedWrite* done : group) {
      done->done = true;
    }
    changed_.notify_all();
  }
  busy_ = false;
  lock.unlock();
  changed_.notify_all();
}

GroupCommit::Group GroupCommit::take_group(const GroupedWrite& own) {
  const auto end =
      waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMostInAGroup));
  try {
    Group group(waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    return group;
  } catch (const std::bad_alloc&) {
    std::erase(waiting_, &own);
    busy_ = false;
    changed_.notify_all();
    throw;
  }
}

// Sets the errors of those that failed, and throws nothing.
void GroupCommit::commit(const Group& group, const Clock& clock) {
  try {
    run_all(group, clock);
  } catch (...) {
    for (GroupedWrite* write : group) {
      if (!write->error) {
        write->error = std::current_exception();
      }
    }
  }
  for (GroupedWrite* write : group) {
    if (!write->error) {
      continue;
    }
    try {
      try {
        std::rethrow_exception(write->error);
      } catch (...) {
        connection_.rethrow_as_error();
      }
    } catch (...) {
      write->error = std::current_exception();
    }
  }
}

void GroupCommit::run_all(const Group& group, const Clock& clock) {
  const SteadyTime now = clock.steady();
  const bool wait = std::ranges::any_of(group, &GroupedWrite::waits_for_disk) || !waited_ ||
                    now - *waited_ >= kLongestWithoutDisk;
  connection_.let_commits_wait(wait);
  DatabaseConnection::Transaction transaction(connection_, connection_.dialect().begin_write());
  for (GroupedWrite* write : group) {
    run_one(*write, group.size() == 1);
  }
  if (std::ranges::any_of(group, [](const GroupedWrite* write) { return !write->error; })) {
    transaction.commit();
    if (wait) {
      waited_ = now;
    }
  }
}

// Of a write that fails nothing stays, and the others go on; where the database has taken the whole
// transaction back (a full disk), its failure is that of all.
void GroupCommit::run_one(GroupedWrite& write, bool alone) {
  Session& session = connection_.session();
  try {
    if (alone) {
      write.body(session);
      return;
    }
    session << "SAVEPOINT one_write";
    write.body(session);
    session << "RELEASE SAVEPOINT one_write";
  } catch (...) {
    write.error = std::current_exception();
    if (alone) {
      return;
    }
    try {
      session << "ROLLBACK TO SAVEPOINT one_write";
      session << "RELEASE SAVEPOINT one_write";
    } catch (const soci::soci_error&) {
      std::rethrow_exception(write.error);
    }
  }
}

}  // namespace onnxop
