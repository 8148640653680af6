#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/data/content_hash.h"
#include "onnxop/data/dataset.h"

namespace onnxop {
namespace {

struct Idx {
  Shape shape;
  Bytes content;  // the whole file
  std::size_t header = 0;

  std::span<const std::byte> data() const { return std::span(content).subspan(header); }
};

std::uint32_t big_endian(const Bytes& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
  }
  return value;
}

Idx read_idx(const std::filesystem::path& path, std::size_t dimensions) {
  constexpr std::uint32_t kUint8Type = 0x08;
  Idx idx{{}, read_file(path), 4 + 4 * dimensions};
  if (idx.content.size() < idx.header) {
    fail(ErrorCode::kDataLoss, "{}: {} bytes, expected a header of {} at least", path.string(),
         idx.content.size(), idx.header);
  }
  const std::uint32_t magic = big_endian(idx.content, 0);
  const std::uint32_t expected = kUint8Type << 8 | static_cast<std::uint32_t>(dimensions);
  if (magic != expected) {
    fail(ErrorCode::kDataLoss,
         "{}: begins with 0x{:08x}, expected 0x{:08x} (IDX, uint8, {} dimension(s))", path.string(),
         magic, expected, dimensions);
  }
  for (std::size_t i = 0; i < dimensions; ++i) {
    idx.shape.push_back(big_endian(idx.content, 4 + 4 * i));
  }
  std::int64_t elements = 0;
  try {
    elements = element_count(idx.shape);
  } catch (const Error& e) {
    fail(ErrorCode::kDataLoss, "{}: {}", path.string(), e.what());
  }
  const auto got = static_cast<std::int64_t>(idx.content.size() - idx.header);
  if (got != elements) {
    fail(ErrorCode::kDataLoss, "{}: {} bytes behind the header, expected {} for its shape {} ({})",
         path.string(), got, elements, shape_text(idx.shape),
         got < elements ? "truncated" : "too long");
  }
  return idx;
}

}  // namespace

Dataset load_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                 int classes) {
  const Idx pixels = read_idx(images, 3);
  const Idx numbers = read_idx(labels, 1);
  if (pixels.shape[0] != numbers.shape[0]) {
    fail(ErrorCode::kDataLoss, "{} has {} images, but {} has {} labels", images.string(),
         pixels.shape[0], labels.string(), numbers.shape[0]);
  }
  if (element_count(pixels.shape) == 0) {
    fail(ErrorCode::kDataLoss, "{}: no pixels: its shape is {}", images.string(),
         shape_text(pixels.shape));
  }
  Dataset dataset;
  dataset.samples = Tensor(DType::kUint8, {pixels.shape[0], pixels.shape[1], pixels.shape[2], 1});
  std::copy(pixels.data().begin(), pixels.data().end(), dataset.samples.bytes().begin());
  for (std::size_t i = 0; i < numbers.data().size(); ++i) {
    const int label = std::to_integer<int>(numbers.data()[i]);
    if (label >= classes) {
      fail(ErrorCode::kDataLoss, "{}: label {} is {}, expected 0 to {}", labels.string(), i, label,
           classes - 1);
    }
    dataset.classes.push_back(label);
  }
  for (int i = 0; i < classes; ++i) {
    dataset.labels.push_back(std::to_string(i));
  }
  dataset.sha256 = content_sha256(dataset);
  return dataset;
}

}  // namespace onnxop
