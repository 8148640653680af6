#pragma once
// Dataset: samples and their targets in memory, from IDX files, an image folder or a CSV file.
// Immutable once loaded; may be read from any thread.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/image/image.h"
#include "onnxop/tensor/tensor.h"

namespace onnxop {

struct Dataset {
  Tensor samples;                     // [N, H, W, C] uint8 (images) or [N, features] float32
  std::vector<std::int32_t> classes;  // N class indices; empty for regression
  Tensor values;                      // [N, outputs] float32 for regression; undefined else
  std::vector<std::string> labels;    // of the classes, in order; empty for regression
  std::string sha256;  // of the content (samples, targets, labels), wherever it came from

  std::int64_t size() const;
  Shape sample_shape() const;    // [H, W, C] or [features]
  std::int64_t outputs() const;  // classes or regression values
};

/// IDX (the format of the original MNIST files), uint8, images [N, H, W] and labels [N].
/// Throws Error{kNotFound}; Error{kDataLoss} with the file, what its header says and what its size
/// is for a truncated, oversized or inconsistent file, for labels and images of different count,
/// and for labels outside 0..classes-1.
Dataset load_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                 int classes);

/// One folder a class, sorted by name: ROOT/cat/1.png; names that begin with a dot are passed over.
/// `fit` brings each decoded image to one size and colour (the contract's). Throws
/// Error{kNotFound}; Error{kInvalidArgument} naming the path for a file that is no image, images of
/// different shapes, an empty folder, or a root without folders.
Dataset load_image_folder(const std::filesystem::path& root,
                          const std::function<Image(Image)>& fit);

struct CsvOptions {
  std::vector<std::string> target_columns;  // names from the header line
  // One target column, whose distinct values are the classes: numbers in their order, then words.
  bool classification = true;
};
/// Comma-separated (RFC 4180), first line the names, all feature columns numbers.
/// Throws Error{kInvalidArgument} with file, line and column for what is no number, a ragged line,
/// an unknown column.
Dataset load_csv(const std::filesystem::path& path, const CsvOptions& options);

/// Where data sets are kept unless said otherwise: $ONNXOP_CACHE/data, else
/// $XDG_CACHE_HOME/onnxop/data, else ~/.cache/onnxop/data.
std::filesystem::path default_data_dir();

}  // namespace onnxop
