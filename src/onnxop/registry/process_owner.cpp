#include "onnxop/registry/process_owner.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <signal.h>
#include <unistd.h>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

constexpr std::string_view kUnknown = "-";

struct Owner {
  std::string host;
  std::string boot;           // changes when the machine starts again
  std::string pid_namespace;  // what `pid` counts in; a container has its own
  std::int64_t pid = 0;
  std::string start;  // when the process started, in ticks since boot
};

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    return std::string(kUnknown);
  }
  return name.data();
}

std::string first_word(const char* path) {
  std::string word;
  std::ifstream(path) >> word;
  return word.empty() ? std::string(kUnknown) : word;
}

std::string own_pid_namespace() {
  std::error_code error;
  const auto link = std::filesystem::read_symlink("/proc/self/ns/pid", error);
  return error ? std::string(kUnknown) : link.string();
}

// What /proc says about a process; none where there is no /proc or no such process.
struct ProcessState {
  char state;
  std::string start;
};

std::optional<ProcessState> process_state(std::int64_t pid) {
  std::ifstream file(format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) {
    return std::nullopt;
  }
  // The second field is the program's name in parentheses and may hold anything; the state is field
  // 3, the start 22.
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream fields(line.substr(name_end + 1));
  ProcessState result{};
  fields >> result.state;
  for (int field = 4; field <= 22; ++field) {
    fields >> result.start;
  }
  return fields ? std::optional(result) : std::nullopt;
}

std::optional<Owner> parse(std::string_view text) {
  std::istringstream words{std::string(text)};
  Owner owner;
  words >> owner.host >> owner.boot >> owner.pid_namespace >> owner.pid >> owner.start;
  return words && owner.pid > 0 ? std::optional(owner) : std::nullopt;
}

Owner current() {
  const auto state = process_state(getpid());
  return {host_name(), first_word("/proc/sys/kernel/random/boot_id"), own_pid_namespace(), getpid(),
          state ? state->start : std::string(kUnknown)};
}

// What /proc says here is said of it too.
bool is_of_here(const Owner& owner, const Owner& self) {
  return owner.boot == self.boot && owner.pid_namespace == self.pid_namespace &&
         (self.boot != kUnknown || owner.host == self.host);
}

}  // namespace

std::string current_process_owner() {
  const Owner self = current();
  return format("{} {} {} {} {}", self.host, self.boot, self.pid_namespace, self.pid, self.start);
}

bool owner_is_gone(std::string_view owner_text) {
  const auto owner = parse(owner_text);
  if (!owner) {
    return false;
  }
  const Owner self = current();
  if (owner->boot != self.boot) {
    return owner->host == self.host && owner->boot != kUnknown && self.boot != kUnknown;
  }
  if (!is_of_here(*owner, self)) {
    return false;
  }
  if (const auto state = process_state(owner->pid)) {
    const bool ended = state->state == 'Z' || state->state == 'X';
    return ended || state->start != owner->start;
  }
  return kill(static_cast<pid_t>(owner->pid), 0) != 0 && errno == ESRCH;
}

bool owner_is_alive(std::string_view owner_text) {
  const auto owner = parse(owner_text);
  if (!owner || !is_of_here(*owner, current())) {
    return false;
  }
  const auto state = process_state(owner->pid);
  return state ? state->state != 'Z' && state->state != 'X' && state->start == owner->start
               : kill(static_cast<pid_t>(owner->pid), 0) == 0;
}

std::string describe_owner(std::string_view owner_text) {
  const auto owner = parse(owner_text);
  return owner ? format("process {} on {}", owner->pid, owner->host)
               : std::string("an unknown process");
}

}  // namespace onnxop
