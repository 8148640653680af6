#pragma once
// A spec's data sets in memory, brought to the spec's input, split into training and validation.
// Immutable once loaded.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "onnxop/data/batches.h"
#include "onnxop/data/dataset.h"
#include "onnxop/onnx/contract.h"
#include "onnxop/train/build_graph.h"
#include "onnxop/train/spec.h"

namespace onnxop {

struct TrainData {
  Dataset train;  // with the validation samples
  Dataset test;
  std::vector<std::uint32_t> training;    // indices into train
  std::vector<std::uint32_t> validation;  // indices into train
  std::string sha256;                     // of the content of train and test
};

/// Reads both data sets; `data_dir` is where mnist lies (empty: default_data_dir()).
/// Throws what the data room's loaders throw, and Error{kInvalidArgument} for a split that leaves
/// nothing to train or validate on, an empty test set, and test data whose classes or features are
/// not those of the training data.
TrainData load_train_data(const TrainSpec& spec, const std::filesystem::path& data_dir);

/// Raw pixels, channels last: what the contract says of the model's input and how samples become
/// the network's input.
ImageInput image_input(const TrainSpec& spec);

/// What BatchReader needs to make the network's input of a sample.
BatchReader::Convert input_converter(const TrainSpec& spec);

/// The ends of the network for these data; standardizing looks at the training samples only.
NetworkEnds network_ends(const TrainSpec& spec, const TrainData& data);

/// Indices 0 to samples - 1 in two parts; SplitKind::kRandom draws the same parts every time.
struct Split {
  std::vector<std::uint32_t> training, validation;
};
Split split_samples(const DataSpec& spec, std::int64_t samples);

}  // namespace onnxop
