#pragma once
// What a training needs to go on after its last finished epoch, in one file:
//   "onnxop checkpoint 1\n", the header's size in 20 decimal digits and "\n", the header (JSON:
//   hashes, counts, epochs), the float32 arrays in the machine's byte order, 64 hex digits: the
//   SHA-256 of all before them.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "onnxop/train/epoch_result.h"

namespace onnxop {

struct Checkpoint {
  std::string spec_sha256;
  std::string data_sha256;
  std::vector<EpochResult> epochs;  // finished
  std::int64_t optimizer_steps = 0;
  std::vector<float> parameters, state;            // of the last epoch
  std::vector<float> best_parameters, best_state;  // of the best epoch
  std::vector<float> optimizer_state;
};

/// Replaces the file in one step. Throws Error{kNotFound} where its folder is not there, {kIo}
/// else.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// None where there is no file. Throws Error{kDataLoss} that names the file for one that is damaged
/// or is no checkpoint.
std::optional<Checkpoint> load_checkpoint(const std::filesystem::path& path);

}  // namespace onnxop
