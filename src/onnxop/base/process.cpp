#include "onnxop/base/process.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onnxop/base/error.h"

extern char** environ;

namespace onnxop {
namespace {

constexpr std::size_t kMostOutput = 64 * 1024;

std::string read_to_end(int fd) {
  std::string output;
  std::array<char, 4096> piece{};
  while (true) {
    const auto n = ::read(fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return output;
    }
    output.append(piece.data(), static_cast<std::size_t>(n));
    if (output.size() > kMostOutput) {
      output.erase(0, output.size() - kMostOutput);
    }
  }
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& argv, const std::filesystem::path& cwd) {
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
    fail(ErrorCode::kInternal, "cannot make a pipe: {}", std::strerror(errno));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, cwd.c_str());

  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (auto& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  if (error != 0) {
    ::close(pipe_ends[0]);
    if (error == ENOENT) {
      return {127, format("{}: {}", argv[0], std::strerror(error))};
    }
    fail(ErrorCode::kInternal, "cannot run {}: {}", argv[0], std::strerror(error));
  }
  ProcessResult result{0, read_to_end(pipe_ends[0])};
  ::close(pipe_ends[0]);
  result.exit_code = wait_for(pid);
  return result;
}

}  // namespace onnxop
