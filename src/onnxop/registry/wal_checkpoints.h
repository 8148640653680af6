#pragma once
// Brings the write-ahead log of an SQLite database into its file. That takes tens of milliseconds,
// for which the commit that made the log long enough would wait, and with it all that queue behind
// it. So a thread does most of it, while others write. The log begins anew only when all of it is
// in the file: what was added meanwhile, which is little, is left to a commit. No part of the
// room's interface.
//
// is_due() may be called from one thread at a time.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace onnxop {

class Session;

class WalCheckpoints {
 public:
  // Many pages that one batch writes are those of the next, such as those of the latest values, and
  // are brought into the file the cheaper the more batches are before.
  static constexpr int kPages = 16384;         // 64 MiB of log
  static constexpr int kTooManyPages = 65536;  // 256 MiB

  /// `connect_string` as SOCI's driver takes it. The thread starts when there is something to do.
  explicit WalCheckpoints(std::string connect_string);
  WalCheckpoints(const WalCheckpoints&) = delete;
  WalCheckpoints& operator=(const WalCheckpoints&) = delete;

  /// So many pages are in the log after a commit. -> whether who commits is to bring in what is not
  /// in the file yet: the thread has done its part, or does not keep up, or fails.
  bool is_due(int pages) noexcept;

  /// What the thread does. -> whether what is left is little: not where a reader still looks at it,
  /// or another process brings it in. Throws soci_error.
  static bool bring_in_most(Session& session);

 private:
  void work(const std::stop_token& stop);
  void ask_thread();

  const std::string connect_string_;
  std::mutex mutex_;
  std::condition_variable_any wanted_changed_;
  bool wanted_ = false;
  std::atomic<bool> most_is_in_ = false;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace onnxop
