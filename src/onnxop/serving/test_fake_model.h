#pragma once
// For tests: a model file's content; what it computes does not matter where the engine is a fake.

#include <string>

#include "onnxop/onnx/graph.h"

namespace onnxop {

inline Model fake_model(const std::string& note = "") {
  Model model;
  model.doc_string = note;
  model.graph.name = "fake";
  model.graph.nodes.push_back({"Identity", "", {"image"}, {"probabilities"}, {}, ""});
  model.graph.inputs.push_back({"image", DType::kFloat32, {{-1, "N"}}, ""});
  model.graph.outputs.push_back({"probabilities", DType::kFloat32, {{-1, "N"}}, ""});
  return model;
}

}  // namespace onnxop
