#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/data/content_hash.h"
#include "onnxop/data/dataset.h"
#include "onnxop/image/codec.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostImageBytes = std::uint64_t{64} << 20;

/// Entries whose names do not begin with a dot, sorted by name.
std::vector<fs::path> sorted_entries(const fs::path& folder, bool folders) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    std::error_code unknown;  // a link to nowhere is no folder
    if (at->is_directory(unknown) == folders && !at->path().filename().string().starts_with(".")) {
      entries.push_back(at->path());
    }
  }
  if (error) {
    fail(error == std::errc::no_such_file_or_directory ? ErrorCode::kNotFound : ErrorCode::kIo,
         "{}: cannot be read: {}", folder.string(), error.message());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

Image load_image(const fs::path& path, const std::function<Image(Image)>& fit) {
  try {
    return fit(decode_image(read_file(path, kMostImageBytes)));
  } catch (const Error& e) {
    fail(e.code() == ErrorCode::kIo ? e.code() : ErrorCode::kInvalidArgument, "{}: {}",
         path.string(), e.what());
  }
}

}  // namespace

Dataset load_image_folder(const fs::path& root, const std::function<Image(Image)>& fit) {
  Dataset dataset;
  std::vector<std::uint8_t> pixels;
  Shape shape;
  for (const auto& folder : sorted_entries(root, true)) {
    const auto files = sorted_entries(folder, false);
    if (files.empty()) {
      fail(ErrorCode::kInvalidArgument, "{}: no images in this class's folder", folder.string());
    }
    for (const auto& file : files) {
      const Image image = load_image(file, fit);
      const Shape sample{image.height, image.width, image.channels};
      if (shape.empty()) {
        shape = sample;
      } else if (sample != shape) {
        fail(ErrorCode::kInvalidArgument,
             "{}: an image of shape {}, expected {} as those before it", file.string(),
             shape_text(sample), shape_text(shape));
      }
      pixels.insert(pixels.end(), image.pixels.begin(), image.pixels.end());
      dataset.classes.push_back(static_cast<std::int32_t>(dataset.labels.size()));
    }
    dataset.labels.push_back(folder.filename().string());
  }
  if (dataset.labels.empty()) {
    fail(ErrorCode::kInvalidArgument,
         "{}: no folders in it, expected one a class (cat/1.png, dog/1.png)", root.string());
  }
  const Shape all{static_cast<std::int64_t>(dataset.classes.size()), shape[0], shape[1], shape[2]};
  dataset.samples = Tensor::of<std::uint8_t>(all, pixels);
  dataset.sha256 = content_sha256(dataset);
  return dataset;
}

}  // namespace onnxop
