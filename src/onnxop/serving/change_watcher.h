#pragma once
// A thread that tells when something may have changed in some folders: at once where the system
// says so (inotify), and now and then in any case.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

namespace onnxop {

struct WatchOptions {
  std::chrono::milliseconds settle{50};       // after a change, for the others of the same burst
  std::chrono::milliseconds again{500};       // after a look that asks for another
  std::chrono::milliseconds poll{10'000};     // without any news
  std::chrono::milliseconds fallback{1'000};  // the same where the system cannot tell of changes
};

class ChangeWatcher {
 public:
  /// `folders` says what to watch now; `look` is called, on the watcher's thread, and returns
  /// whether to look again soon. Both must not throw.
  ChangeWatcher(std::function<std::vector<std::filesystem::path>()> folders,
                std::function<bool()> look, const WatchOptions& options = {});
  /// Waits for a look that is going on.
  ~ChangeWatcher();
  ChangeWatcher(const ChangeWatcher&) = delete;
  ChangeWatcher& operator=(const ChangeWatcher&) = delete;

 private:
  void run();
  bool renew_watches();
  bool wait(std::chrono::milliseconds time) const;
  void drain() const;

  std::function<std::vector<std::filesystem::path>()> folders_;
  std::function<bool()> look_;
  WatchOptions options_;
  int inotify_;
  int stop_;  // an eventfd
  std::thread thread_;
};

}  // namespace onnxop
