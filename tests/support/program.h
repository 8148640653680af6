#pragma once
// Runs the built programs as a user does, for tests and benchmarks.

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "onnxop/base/json.h"
#include "onnxop/base/test_source_dir.h"

namespace onnxop::testing_support {

struct Outcome {
  int exit_code = 0;  // 128 + n: ended by signal n
  std::string out;
  std::string err;

  /// Standard output as one JSON object.
  Json json() const;
};

/// `onnxop ARGS…` with the given standard input, in a new process.
Outcome run_onnxop(const std::vector<std::string>& args, const std::string& input = "");

/// Any program of the system.
Outcome run_program(const std::vector<std::string>& argv, const std::string& input = "");

/// The same, where it may mount file systems that nobody else sees. It ends with 77 where it
/// cannot.
Outcome run_with_own_mounts(const std::vector<std::string>& argv);

/// A program that goes on until it is told to end; killed with the object.
class BackgroundProgram {
 public:
  explicit BackgroundProgram(const std::vector<std::string>& onnxop_args);
  /// Any program of the system.
  static BackgroundProgram of(const std::vector<std::string>& argv);
  ~BackgroundProgram();
  BackgroundProgram(const BackgroundProgram&) = delete;
  BackgroundProgram& operator=(const BackgroundProgram&) = delete;

  void signal(int number) const;
  /// Waits for its end.
  Outcome wait();
  bool running();
  /// What it has written to standard error so far.
  std::string log() const;
  /// Returns once `path` is a file that is not empty; throws when the program ends first.
  std::string wait_for_file(const std::filesystem::path& path);
  pid_t pid() const { return pid_; }

 private:
  BackgroundProgram(const std::vector<std::string>& argv, const std::filesystem::path& dir);

  pid_t pid_ = -1;
  int status_ = 0;
  std::filesystem::path out_, err_;
};

/// A folder that goes away with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// The store made by the fixture: `mnist` version 1, two epochs of examples/mnist-small.yaml. Not
/// to be written to.
std::string test_store();

using onnxop::source_dir;

/// The built `onnxop`.
std::string program_path();

}  // namespace onnxop::testing_support
