#pragma once
// Writes of several threads of this process to one database, committed together: while one
// transaction is on its way to the disk, those that come queue up, and the next transaction has all
// of them, each in a savepoint of its own. A commit costs one wait for the disk, however many are
// in it. No part of the room's interface.
//
// Safe to use from any thread.

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace soci {
class session;
}

namespace onnxop {

/// One write(), while its thread waits for it. The body is called once at most, on the thread that
/// commits the group.
struct GroupedWrite {
  std::function<void(soci::session&)> body;
  bool waits_for_disk = true;     // its commit does
  std::exception_ptr error = {};  // none: committed
  bool done = false;
};

class GroupCommit {
 public:
  /// That of the database with this address; one for the whole process.
  static std::shared_ptr<GroupCommit> of(const std::string& address);

  /// Returns when `write` is done. `commit` is called on the thread of one of those that wait, with
  /// all that waited: it sets their errors and throws nothing. A body that writes to the same
  /// database itself is an Error{kInternal}.
  void run(GroupedWrite& write,
           const std::function<void(const std::vector<GroupedWrite*>&)>& commit);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<GroupedWrite*> waiting_;
  bool busy_ = false;
};

}  // namespace onnxop
