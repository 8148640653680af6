#pragma once
// Writes of several threads of this process to one database, committed together: while one
// transaction is on its way to the disk, those that come queue up, and the next transaction has all
// of them, each in a savepoint of its own. A commit costs one wait for the disk, however many are
// in it. All go through one connection of the process, so that the pages that it has read stay
// those of the database while no other process writes. No part of the room's interface.
//
// Safe to use from any thread.

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/registry/database_connection.h"

namespace onnxop {

class Session;

/// One write(), while its thread waits for it. The body is called once at most, on the thread that
/// commits the group.
struct GroupedWrite {
  std::function<void(Session&)> body;
  bool waits_for_disk = true;     // its commit does
  std::exception_ptr error = {};  // none: committed
  bool done = false;
};

class GroupCommit {
 public:
  /// Use of().
  explicit GroupCommit(std::shared_ptr<const Dialect> dialect);

  /// That of the dialect's database; one for the whole process.
  static std::shared_ptr<GroupCommit> of(const std::shared_ptr<const Dialect>& dialect);

  /// Returns when `write` is done. A body that writes to the same database itself is an
  /// Error{kInternal}. By `clock` a second without a wait for the disk is told.
  void run(GroupedWrite& write, const Clock& clock);

 private:
  using Group = std::vector<GroupedWrite*>;

  /// Those that wait. When there is no memory, `own` waits no more, and who is next commits.
  Group take_group(const GroupedWrite& own);
  void commit(const Group& group, const Clock& clock);
  void run_all(const Group& group, const Clock& clock);
  void run_one(GroupedWrite& write, bool alone);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<GroupedWrite*> waiting_;
  bool busy_ = false;

  // Of the thread that commits.
  DatabaseConnection connection_;
  std::optional<SteadyTime> waited_;  // the last commit that did, for the disk
};

}  // namespace onnxop
