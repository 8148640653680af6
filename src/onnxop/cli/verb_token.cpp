#include <iostream>
#include <memory>

#include "onnxop/base/error.h"
#include "onnxop/base/format.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/server/token_file.h"

namespace onnxop {
namespace {

struct NewOptions {
  std::string name;
  std::string roles;
  std::string file;
};

/// The token is shown when it is sure to be of use.
void make_token(const NewOptions& options) {
  const std::string secret = new_secret();
  std::string line;
  try {
    line = token_line(options.name, options.roles, secret);
  } catch (const Error& e) {
    throw UsageError(e.what());
  }
  if (options.file.empty()) {
    std::cerr << line << '\n';
  } else {
    append_token(options.file, line);
  }
  print_text(secret + "\n");
}

}  // namespace

VerbAction declare_token(CLI::App& command) {
  set_example(command, "onnxop token new alice --role infer,read --file tokens");
  command.require_subcommand(1);
  auto options = std::make_shared<NewOptions>();
  CLI::App* const make =
      command.add_subcommand("new", "Print a new token, and its line for serve's --tokens");
  make->fallthrough();
  set_example(*make,
              "onnxop token new alice --role infer,read --file tokens\n"
              "  onnxop token new ops --role manage 2>> tokens");
  make->add_option("NAME", options->name, "Whose it is, for logs and limits")->required();
  make->add_option("--role", options->roles, "infer, read, track, manage, or several: infer,read")
      ->required();
  make->add_option("--file", options->file,
                   "Add the line to this file, which its owner alone may read (default: print it "
                   "on standard error)");
  return [options](const CliContext&) { make_token(*options); };
}

}  // namespace onnxop
