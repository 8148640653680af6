#include "program.h"

#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"

extern char** environ;

namespace onnxop::testing_support {
namespace {

namespace fs = std::filesystem;

pid_t spawn(const std::vector<std::string>& argv, const fs::path& in, const fs::path& out,
            const fs::path& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (auto& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    fail(ErrorCode::kInternal, "cannot run {}", argv[0]);
  }
  return pid;
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> onnxop_argv(const std::vector<std::string>& args) {
  std::vector<std::string> argv{ONNXOP_PROGRAM};
  argv.insert(argv.end(), args.begin(), args.end());
  return argv;
}

fs::path temp_name() {
  std::string name = (fs::temp_directory_path() / "onnxop-test.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    fail(ErrorCode::kIo, "cannot make a temporary folder");
  }
  return name;
}

}  // namespace

Json Outcome::json() const {
  return parse_json(out, "standard output");
}

Outcome run_program(const std::vector<std::string>& argv, const std::string& input) {
  const TempDir dir;
  write_file_atomically(dir.path() / "in", as_bytes(input));
  const pid_t pid = spawn(argv, dir.path() / "in", dir.path() / "out", dir.path() / "err");
  int status = 0;
  ::waitpid(pid, &status, 0);
  return {exit_code_of(status), read_text_file(dir.path() / "out"),
          read_text_file(dir.path() / "err")};
}

Outcome run_onnxop(const std::vector<std::string>& args, const std::string& input) {
  return run_program(onnxop_argv(args), input);
}

Outcome run_with_own_mounts(const std::vector<std::string>& argv) {
  constexpr int kCannot = 77;
  std::vector<std::string> words{"unshare", "--mount"};
  if (::geteuid() != 0) {
    words.emplace_back("--map-root-user");
  }
  words.insert(words.end(), argv.begin(), argv.end());
  Outcome outcome = run_program(words);
  if (outcome.err.starts_with("unshare: ")) {
    outcome.exit_code = kCannot;
  }
  return outcome;
}

BackgroundProgram::BackgroundProgram(const std::vector<std::string>& onnxop_args)
    : BackgroundProgram(onnxop_argv(onnxop_args), temp_name()) {}

BackgroundProgram BackgroundProgram::of(const std::vector<std::string>& argv) {
  return {argv, temp_name()};
}

BackgroundProgram::BackgroundProgram(const std::vector<std::string>& argv, const fs::path& dir)
    : out_(dir / "out"), err_(dir / "err") {
  pid_ = spawn(argv, "/dev/null", out_, err_);
}

BackgroundProgram::~BackgroundProgram() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
  }
  fs::remove_all(out_.parent_path());
}

void BackgroundProgram::signal(int number) const {
  ::kill(pid_, number);
}

bool BackgroundProgram::running() {
  if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_) {
    pid_ = -1;
  }
  return pid_ > 0;
}

std::string BackgroundProgram::log() const {
  return read_text_file(err_);
}

Outcome BackgroundProgram::wait() {
  if (pid_ > 0) {
    ::waitpid(pid_, &status_, 0);
    pid_ = -1;
  }
  return {exit_code_of(status_), read_text_file(out_), read_text_file(err_)};
}

std::string BackgroundProgram::wait_for_file(const fs::path& path) {
  std::error_code ignored;
  while (!fs::exists(path) || fs::file_size(path, ignored) == 0) {
    if (!running()) {
      fail(ErrorCode::kInternal, "the program ended before {} was there: {}", path.string(),
           read_text_file(err_));
    }
    std::this_thread::yield();
  }
  return read_text_file(path);
}

TempDir::TempDir() : path_(temp_name()) {}

TempDir::~TempDir() {
  fs::remove_all(path_);
}

std::string test_store() {
  return ONNXOP_TEST_STORE;
}

std::string program_path() {
  return ONNXOP_PROGRAM;
}

}  // namespace onnxop::testing_support
