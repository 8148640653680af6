// onnxop-train: the verb that needs the training rooms, with the same command line as onnxop.

#include <array>

#include "onnxop/cli/verbs.h"

int main(int argc, char** argv) {
  const std::array<onnxop::Verb, 1> verbs{{
      {"train", "Train a network, export it as ONNX and register it", onnxop::declare_train},
  }};
  return onnxop::run_cli(verbs, argc, argv);
}
