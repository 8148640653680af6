// A data set of IDX files. The first byte says how long the file of the labels is, which follows;
// the rest is the file of the images.

#include <algorithm>

#include "fuzz/fuzz.h"
#include "onnxop/data/dataset.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onnxop;
  static fuzz::InputFile images;
  static fuzz::InputFile labels;
  auto bytes = fuzz::bytes_of(data, size);
  if (bytes.empty()) {
    return 0;
  }
  const auto length = std::min(std::to_integer<std::size_t>(bytes.front()), bytes.size() - 1);
  bytes = bytes.subspan(1);
  const auto& labels_path = labels.write(bytes.first(length));
  const auto& images_path = images.write(bytes.subspan(length));
  fuzz::allow({ErrorCode::kDataLoss}, [&] {
    constexpr int kClasses = 10;
    const Dataset dataset = load_idx(images_path, labels_path, kClasses);
    fuzz::require(dataset.size() == static_cast<std::int64_t>(dataset.classes.size()));
    fuzz::require(std::ranges::all_of(dataset.classes,
                                      [](int label) { return label >= 0 && label < kClasses; }));
  });
  return 0;
}
