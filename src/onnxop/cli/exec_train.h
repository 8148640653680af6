#pragma once
// How `onnxop train` becomes the program onnxop-train.

#include <string_view>

#include "onnxop/cli/verb.h"

namespace onnxop {

/// Whether the command line's verb is `verb` (global options may stand before it).
bool names_verb(std::string_view verb, int argc, char** argv);

/// Replaces this process by onnxop-train, looked up beside this program. Returns exit code 1, with
/// a message, when that cannot be done.
int exec_train_program(char** argv);

/// The verb's row in the help; its options are the other program's.
VerbAction declare_train_elsewhere(CLI::App& command);

}  // namespace onnxop
