#pragma once
// What each verb's file offers to the table in main.cpp.

#include "onnxop/cli/verb.h"

namespace onnxop {

VerbAction declare_data(CLI::App& command);
VerbAction declare_train(CLI::App& command);
VerbAction declare_eval(CLI::App& command);
VerbAction declare_score(CLI::App& command);
VerbAction declare_inspect(CLI::App& command);
VerbAction declare_import(CLI::App& command);
VerbAction declare_serve(CLI::App& command);
VerbAction declare_token(CLI::App& command);
VerbAction declare_bench(CLI::App& command);
VerbAction declare_experiments(CLI::App& command);
VerbAction declare_runs(CLI::App& command);
VerbAction declare_models(CLI::App& command);

}  // namespace onnxop
