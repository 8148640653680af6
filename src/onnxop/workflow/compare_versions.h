#pragma once
// What differs between two versions of a model: the graph, how they were made, what was measured,
// the contract, and the answers.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/registry.h"

namespace onnxop {

struct ValueDifference {
  std::string section;           // "graph", "params", "metrics", "contract"
  std::string key;               // "operator Conv", "lr", "test_accuracy", "/input/width"
  std::optional<std::string> a;  // none: that version has no such thing
  std::optional<std::string> b;
};

/// A sample that the two answer differently.
struct DisagreedSample {
  std::int64_t sample = 0;
  std::string a;
  std::string b;
};

struct AnswerDifference {
  std::int64_t samples = 0;
  std::int64_t different = 0;               // labels
  std::vector<DisagreedSample> first = {};  // at most 10
  double accuracy_a = 0;
  double accuracy_b = 0;
};

struct VersionComparison {
  ModelVersion a;
  ModelVersion b;
  bool same_bytes = false;  // of model.onnx
  std::vector<ValueDifference> differences;
  std::optional<AnswerDifference> answers;  // with a data set
};

/// `dataset` as open_dataset() takes it; "": answers are not compared. Throws what describe_model()
/// and evaluate_model() do.
VersionComparison compare_versions(const Registry& registry, std::string_view name, std::int64_t a,
                                   std::int64_t b, std::string_view dataset);

}  // namespace onnxop
