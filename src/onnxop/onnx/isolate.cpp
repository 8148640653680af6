#include "onnxop/onnx/isolate.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

/// For a pipe's end.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  void close() {
    if (number_ >= 0) {
      ::close(number_);
    }
    number_ = -1;
  }

 private:
  int number_;
};

/// What the process has now, and some more: a file of a kilobyte can ask for terabytes.
void limit_memory() {
#ifdef ONNXOP_SANITIZED
  return;  // the sanitizers' own memory is a multiple of the program's, and grows with it
#endif
  constexpr rlim_t kMore = rlim_t{512} << 20;
  std::ifstream statm("/proc/self/statm");
  rlim_t total = 0, resident = 0, shared = 0, text = 0, library = 0, data = 0;
  if (statm >> total >> resident >> shared >> text >> library >> data) {
    const auto page = static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
    const rlimit limit{data * page + kMore, data * page + kMore};
    ::setrlimit(RLIMIT_DATA, &limit);
  }
}

[[noreturn]] void run_child(const std::function<std::string()>& work, int to) {
  constexpr rlim_t kMostSeconds = 20;
  const rlimit no_core{0, 0};
  const rlimit processor{kMostSeconds, kMostSeconds};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::setrlimit(RLIMIT_CPU, &processor);
  limit_memory();
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE, SIGTERM}) {
    ::signal(number, SIG_DFL);
  }
  const std::string text = work();
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(to, text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR) {
      ::_exit(1);
    }
    written += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  ::_exit(0);
}

/// The ticks of processor time that a sleeping process has had; none when it does not sleep.
std::optional<std::uint64_t> ticks_of_sleeper(pid_t process) {
  std::ifstream file(format("/proc/{}/stat", process));
  std::string line;
  std::getline(file, line);
  // Behind the name: the state, ten numbers, and the time in the program and in the system.
  std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::string state;
  fields >> state;
  std::uint64_t skipped = 0, user = 0, system = 0;
  for (int i = 0; i < 10; ++i) {
    fields >> skipped;
  }
  return fields >> user >> system && state == "S" ? std::optional(user + system) : std::nullopt;
}

/// What the child writes until it ends; none when it sleeps for good. All that it can wait for is
/// this, which reads, and a lock that another thread held when the child was made.
std::optional<std::string> read_all(int from, pid_t child) {
  constexpr int kLookMs = 200;
  std::string text;
  std::array<char, 4096> buffer{};
  std::optional<std::uint64_t> asleep;
  while (true) {
    pollfd end{from, POLLIN, 0};
    if (::poll(&end, 1, kLookMs) == 0) {
      const auto before = std::exchange(asleep, ticks_of_sleeper(child));
      if (asleep && asleep == before) {
        return std::nullopt;
      }
      continue;
    }
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

std::string describe_ending(int status) {
  if (WIFSIGNALED(status)) {
    const char* name = ::sigdescr_np(WTERMSIG(status));
    return format("signal {} ({})", WTERMSIG(status), name == nullptr ? "unknown" : name);
  }
  return format("exit code {}", WEXITSTATUS(status));
}

/// None when the child had to be given up.
std::optional<IsolatedResult> try_isolated(const std::function<std::string()>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    fail(ErrorCode::kInternal, "no pipe can be made: {}", std::generic_category().message(errno));
  }
  Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    fail(ErrorCode::kInternal, "no process can be made: {}",
         std::generic_category().message(errno));
  }
  if (child == 0) {
    run_child(work, to.number());
  }
  to.close();
  std::optional<std::string> text = read_all(from.number(), child);
  if (!text) {
    ::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!text) {
    return std::nullopt;
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return IsolatedResult{std::move(text), ""};
  }
  return IsolatedResult{std::nullopt, describe_ending(status)};
}

}  // namespace

IsolatedResult run_isolated(const std::function<std::string()>& work) {
  constexpr int kMostTries = 10;
  for (int i = 0; i < kMostTries; ++i) {
    if (auto result = try_isolated(work)) {
      return std::move(*result);
    }
  }
  fail(ErrorCode::kUnavailable,
       "{} processes one after the other slept for good, where a model was to be looked at",
       kMostTries);
}

}  // namespace onnxop
