// onnxop: the table of verbs. `train` lives in the program onnxop-train beside this one, so that
// serving does not load what only training needs.

#include <array>

#include "onnxop/cli/exec_train.h"
#include "onnxop/cli/verbs.h"

int main(int argc, char** argv) {
  using namespace onnxop;
  constexpr std::string_view kTrain = "train";
  if (names_verb(kTrain, argc, argv)) {
    return exec_train_program(argv);
  }
  const std::array<Verb, 12> verbs{{
      {"data", "Fetch data sets and look into them", declare_data},
      {kTrain, "Train a network, export it as ONNX and register it", declare_train_elsewhere},
      {"eval", "Measure a model on a data set", declare_eval},
      {"score", "Run images through a model", declare_score},
      {"inspect", "Say what a model file holds, and what is wrong with it", declare_inspect},
      {"import", "Put an ONNX model made elsewhere into the store", declare_import},
      {"serve", "Serve the store's models over HTTP", declare_serve},
      {"token", "Make tokens for those who may use a server", declare_token},
      {"bench", "Measure a server, or a model in this process, under load", declare_bench},
      {"experiments", "List, make, rename, delete experiments", declare_experiments},
      {"runs", "Find, compare, draw and delete runs", declare_runs},
      {"models", "Compare, promote, roll back and delete models and versions", declare_models},
  }};
  return run_cli(verbs, argc, argv);
}
