#pragma once
// Golden samples: inputs of a model and the answers that it gave when it was made, stored with a
// version as golden.json. A version that answers otherwise is not served.

#include <filesystem>
#include <string_view>
#include <vector>

#include "onnxop/score/scorer.h"

namespace onnxop {

inline constexpr std::string_view kGoldenFile = "golden.json";

struct GoldenSample {
  std::vector<NamedTensor> inputs;
  std::vector<NamedTensor> outputs;
};

struct GoldenSamples {
  double tolerance = 1e-3;  // absolute, of each element
  std::vector<GoldenSample> samples;
};

/// Runs the model on each of the samples' inputs. Throws as Scorer::run does; Error{kUnsupported}
/// for tensors that are neither float32 nor uint8 nor int64.
GoldenSamples make_golden(Scorer& scorer, std::vector<std::vector<NamedTensor>> inputs);

/// Publishes the file by a last rename.
void write_golden(const std::filesystem::path& path, const GoldenSamples& golden);

/// Throws Error{kNotFound}; {kInvalidArgument} for a file that is none.
GoldenSamples read_golden(const std::filesystem::path& path);

/// Throws Error{kFailedPrecondition} that names the sample and the element where the model's answer
/// differs by more than the tolerance; and what Scorer::run throws.
void check_golden(Scorer& scorer, const GoldenSamples& golden);

}  // namespace onnxop
