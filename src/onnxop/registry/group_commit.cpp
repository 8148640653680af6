#include "onnxop/registry/group_commit.h"

#include <algorithm>
#include <map>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::size_t kMostInAGroup = 64;

// The group whose transaction this thread is in.
thread_local const GroupCommit* current_group = nullptr;

}  // namespace

std::shared_ptr<GroupCommit> GroupCommit::of(const std::string& address) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<GroupCommit>> groups;
  const std::lock_guard lock(mutex);
  std::erase_if(groups, [](const auto& entry) { return entry.second.expired(); });
  auto& known = groups[address];
  auto group = known.lock();
  if (!group) {
    group = std::make_shared<GroupCommit>();
    known = group;
  }
  return group;
}

void GroupCommit::run(GroupedWrite& write,
                      const std::function<void(const std::vector<GroupedWrite*>&)>& commit) {
  if (current_group == this) {
    fail(ErrorCode::kInternal, "a write to the database within a write to it");
  }
  std::unique_lock lock(mutex_);
  waiting_.push_back(&write);
  changed_.wait(lock, [&] { return write.done || !busy_; });
  // Who is not done and finds nobody busy commits the next group; it may not be in that itself.
  while (!write.done) {
    busy_ = true;
    const auto end =
        waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMostInAGroup));
    const std::vector<GroupedWrite*> group(waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    lock.unlock();
    current_group = this;
    commit(group);
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

}  // namespace onnxop
