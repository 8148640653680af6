#pragma once
// Runs another program, for the few things that a program of the system does best (fetching,
// unpacking).

#include <filesystem>
#include <string>
#include <vector>

namespace onnxop {

struct ProcessResult {
  int exit_code;  // 127 when the program is not there, 128 + n when signal n ended it
  std::string
      output;  // standard output and standard error, in the order written; at most the last 64 KiB
};

/// Runs argv (looked up in PATH, no shell) in folder `cwd` and waits. Standard input is empty.
/// Throws Error{kInternal} when no process can be made.
ProcessResult run_process(const std::vector<std::string>& argv,
                          const std::filesystem::path& cwd = ".");

}  // namespace onnxop
