#include "onnxop/cli/exec_train.h"

#include <cerrno>
#include <cstring>
#include <iostream>

#include <unistd.h>

namespace onnxop {

bool names_verb(std::string_view verb, int argc, char** argv) {
  return find_verb_word(argc, argv) == verb;
}

int exec_train_program(char** argv) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto program =
      error ? std::filesystem::path("onnxop-train") : self.parent_path() / "onnxop-train";
  ::execv(program.c_str(), argv);
  std::cerr << "onnxop: error: cannot run " << program.string() << ": " << std::strerror(errno)
            << "; training is a program of its own, installed beside onnxop\n";
  return 1;
}

VerbAction declare_train_elsewhere(CLI::App&) {
  return [](const CliContext&) {};
}

}  // namespace onnxop
