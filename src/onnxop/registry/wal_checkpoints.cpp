#include "onnxop/registry/wal_checkpoints.h"

#include <utility>

#include <soci/sqlite3/soci-sqlite3.h>

#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

constexpr int kTimes = 2;
constexpr int kFewPages = 1024;  // take a commit some milliseconds

}  // namespace

WalCheckpoints::WalCheckpoints(std::string connect_string)
    : connect_string_(std::move(connect_string)) {}

bool WalCheckpoints::is_due(int pages) noexcept {
  if (pages < kPages) {
    most_is_in_ = false;
    return false;
  }
  if (most_is_in_.exchange(false) || pages >= kTooManyPages) {
    return true;
  }
  try {
    ask_thread();
    return false;
  } catch (const std::exception&) {
    return true;  // no thread is to be had
  }
}

void WalCheckpoints::ask_thread() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    if (!thread_.joinable()) {
      thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
    }
  }
  wanted_changed_.notify_one();
}

void WalCheckpoints::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (wanted_changed_.wait(lock, stop, [this] { return wanted_; })) {
    lock.unlock();
    try {
      Session session(soci::sqlite3, connect_string_);
      most_is_in_ = bring_in_most(session);
    } catch (const std::exception&) {
      // The log grows until it is too long, and a commit tries.
    }
    lock.lock();
    wanted_ = false;
  }
}

// Each time there is less that was added meanwhile.
bool WalCheckpoints::bring_in_most(Session& session) {
  int pages = 0;
  int done = 0;
  for (int i = 0; i < kTimes; ++i) {
    int busy = 0;
    session << "PRAGMA wal_checkpoint(PASSIVE)", soci::into(busy), soci::into(pages),
        soci::into(done);
    if (busy != 0) {
      return false;
    }
  }
  return pages - done < kFewPages;
}

}  // namespace onnxop
