#pragma once
// A verb of the command line: one file each, listed once in main.cpp.

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "onnxop/base/json.h"
#include "onnxop/registry/store_location.h"

namespace onnxop {

/// What the global options said.
struct CliContext {
  StoreLocation store;
};

/// What a verb does once its options are read. Failures are Error; the text of wrong usage found
/// late is UsageError.
using VerbAction = std::function<void(const CliContext&)>;

struct Verb {
  std::string_view name;
  std::string_view summary;
  /// Declares options and example on `command`; the action is called when the verb was given.
  VerbAction (*declare)(CLI::App& command);
};

/// Options that fit one by one but not together; exit code 2.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Parses and runs; returns the exit code: 0 done, 1 failed, 2 wrong usage. Results go to standard
/// output, all else to standard error.
int run_cli(std::span<const Verb> verbs, int argc, char** argv);

/// The first word that is neither an option nor a global option's value; empty when there is none.
std::string_view find_verb_word(int argc, char** argv);

/// Verbs of a verb: "runs list". The action of the one that was given, and `otherwise` where none
/// was.
VerbAction declare_subverbs(CLI::App& command, std::span<const Verb> verbs, VerbAction otherwise);

/// Shows `example` under "Example:" in the command's help.
void set_example(CLI::App& command, std::string_view example);

/// Adds --json, which stores into `flag`.
void add_json_flag(CLI::App& command, bool& flag);

/// One JSON object on standard output.
void print_json(const Json& value);

/// Text on standard output; throws Error{kIo} when it cannot be written (a closed pipe).
void print_text(std::string_view text);

/// Rows under a header line, columns as wide as their widest cell.
std::string table_text(std::span<const std::vector<std::string>> rows);

}  // namespace onnxop
