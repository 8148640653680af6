#include "onnxop/serving/change_watcher.h"

#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "onnxop/base/log.h"
#include "onnxop/base/thread_priority.h"

namespace onnxop {
namespace {

// What loads new versions must not keep requests waiting, nor starve where there are many of them.
constexpr int kPriority = 10;

}  // namespace

ChangeWatcher::ChangeWatcher(std::function<std::vector<std::filesystem::path>()> folders,
                             std::function<bool()> look, const WatchOptions& options)
    : folders_(std::move(folders)),
      look_(std::move(look)),
      options_(options),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this] { run(); });
}

ChangeWatcher::~ChangeWatcher() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_, &one, sizeof one));
  thread_.join();
  ::close(inotify_);
  ::close(stop_);
}

void ChangeWatcher::run() {
  lower_thread_priority(kPriority);
  bool watching = renew_watches();
  if (!watching) {
    log_warning("changes of models are looked for every {} ms: the system does not tell of them",
                options_.fallback.count());
  }
  bool again = look_();  // for what has changed before the watches were there
  while (true) {
    const auto time = again ? options_.again : watching ? options_.poll : options_.fallback;
    if (!wait(time)) {
      return;
    }
    if (watching) {
      // The rest of the burst.
      if (::poll(nullptr, 0, static_cast<int>(options_.settle.count())) < 0 && errno != EINTR) {
        return;
      }
      drain();
    }
    // Watches first: a change after them is told of.
    watching = renew_watches();
    again = look_();
  }
}

/// Adds what is new; what is gone removes itself. False where not all can be watched.
bool ChangeWatcher::renew_watches() {
  bool all = inotify_ >= 0;
  constexpr std::uint32_t kEvents = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                    IN_CLOSE_WRITE | IN_MODIFY | IN_DELETE_SELF | IN_ONLYDIR;
  for (const auto& folder : folders_()) {
    const bool added = ::inotify_add_watch(inotify_, folder.c_str(), kEvents) >= 0;
    all = all && (added || errno == ENOENT);
  }
  return all;
}

/// False: it is time to stop.
bool ChangeWatcher::wait(std::chrono::milliseconds time) const {
  std::array<pollfd, 2> files{{{stop_, POLLIN, 0}, {inotify_, POLLIN, 0}}};
  ::poll(files.data(), inotify_ >= 0 ? 2 : 1, static_cast<int>(time.count()));
  return files[0].revents == 0;
}

void ChangeWatcher::drain() const {
  std::array<char, 4096> events{};
  while (::read(inotify_, events.data(), events.size()) > 0) {
  }
}

}  // namespace onnxop
