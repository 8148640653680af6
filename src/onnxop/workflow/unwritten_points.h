#pragma once
// Points of a run that could not be written into the store, in a file in the run's folder until the
// training is resumed.

#include <filesystem>
#include <vector>

#include "onnxop/registry/run.h"

namespace onnxop {

/// In place of what was there before. Throws Error{kIo}.
void save_unwritten_points(const std::filesystem::path& run_dir, const std::vector<Metric>& points);

/// None where there is no file. Throws Error{kInvalidArgument} for one that holds something else.
std::vector<Metric> load_unwritten_points(const std::filesystem::path& run_dir);

/// The points are in the store.
void remove_unwritten_points(const std::filesystem::path& run_dir);

}  // namespace onnxop
