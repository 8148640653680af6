#include "onnxop/train/load_data.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/random.h"
#include "onnxop/base/sha256.h"
#include "onnxop/data/mnist.h"
#include "onnxop/preprocess/preprocess.h"

namespace onnxop {
namespace {

constexpr std::uint64_t kSplitSeed = 20'000'000;  // of no other meaning than to be always the same

Dataset load_one(const TrainSpec& spec, bool train, const std::filesystem::path& data_dir) {
  const DataSpec& data = spec.data;
  const auto& images = train ? data.train_images : data.test_images;
  switch (data.kind) {
    case DataKind::kMnist:
      return load_mnist((data_dir.empty() ? default_data_dir() : data_dir) / "mnist",
                        train ? "train" : "test");
    case DataKind::kIdx:
      return load_idx(images, train ? data.train_labels : data.test_labels, data.classes);
    case DataKind::kFolder:
      return load_image_folder(images, [input = image_input(spec)](Image image) {
        return fit_image(std::move(image), input);
      });
    case DataKind::kCsv:
      return load_csv(images, {data.target, spec.train.loss == LossKind::kCategoricalCrossentropy});
  }
  fail(ErrorCode::kInternal, "data kind {}", static_cast<int>(data.kind));
}

/// Images of another size or colour than the spec's input are brought to it.
void fit_samples(Dataset& data, const TrainSpec& spec) {
  const Shape wanted = {spec.input.height, spec.input.width, spec.input.channels()};
  const Shape has = data.sample_shape();
  if (!spec.data.images() || has == wanted) {
    return;
  }
  const ImageInput input = image_input(spec);
  Tensor fitted(DType::kUint8, {data.size(), wanted[0], wanted[1], wanted[2]});
  const auto from = std::as_const(data.samples).values<std::uint8_t>();
  const auto to = fitted.values<std::uint8_t>();
  const auto from_size = static_cast<std::size_t>(element_count(has));
  const auto to_size = static_cast<std::size_t>(element_count(wanted));
  for (std::size_t i = 0; i < static_cast<std::size_t>(data.size()); ++i) {
    const auto pixels = from.subspan(i * from_size, from_size);
    const Image image = fit_image({static_cast<int>(has[1]),
                                   static_cast<int>(has[0]),
                                   static_cast<int>(has[2]),
                                   {pixels.begin(), pixels.end()}},
                                  input);
    std::copy(image.pixels.begin(), image.pixels.end(),
              to.begin() + static_cast<std::ptrdiff_t>(i * to_size));
  }
  data.samples = std::move(fitted);
}

/// Numbers the test set's classes as the training set does.
void align_labels(const Dataset& train, Dataset& test) {
  if (test.labels == train.labels) {
    return;
  }
  std::vector<std::int32_t> number;
  for (const auto& label : test.labels) {
    const auto at = std::find(train.labels.begin(), train.labels.end(), label);
    if (at == train.labels.end()) {
      fail(ErrorCode::kInvalidArgument,
           "the test data has the class '{}', which the training data has not: {}", label,
           join(train.labels, ", "));
    }
    number.push_back(static_cast<std::int32_t>(at - train.labels.begin()));
  }
  for (auto& one : test.classes) {
    one = number[static_cast<std::size_t>(one)];
  }
  test.labels = train.labels;
}

void check_test(const Dataset& train, const Dataset& test) {
  if (test.size() == 0) {
    fail(ErrorCode::kInvalidArgument, "the test data has no samples");
  }
  if (test.sample_shape() != train.sample_shape()) {
    fail(ErrorCode::kInvalidArgument,
         "a sample of the test data has shape {}, of the training data {}",
         shape_text(test.sample_shape()), shape_text(train.sample_shape()));
  }
}

void standardize(const TrainData& data, NetworkEnds& ends) {
  const auto features = static_cast<std::size_t>(ends.sample[0]);
  const auto values = data.train.samples.values<float>();
  std::vector<double> mean(features), squares(features);
  const auto n = static_cast<double>(data.training.size());
  for (const auto index : data.training) {
    for (std::size_t f = 0; f < features; ++f) {
      mean[f] += static_cast<double>(values[index * features + f]) / n;
    }
  }
  for (const auto index : data.training) {
    for (std::size_t f = 0; f < features; ++f) {
      const double off = static_cast<double>(values[index * features + f]) - mean[f];
      squares[f] += off * off / n;
    }
  }
  for (std::size_t f = 0; f < features; ++f) {
    const auto deviation = static_cast<float>(std::sqrt(squares[f]));
    ends.mean.push_back(static_cast<float>(mean[f]));
    ends.std_dev.push_back(deviation > 0 ? deviation : 1.0F);
  }
}

}  // namespace

Split split_samples(const DataSpec& spec, std::int64_t samples) {
  std::int64_t kept = spec.validation_samples;
  if (kept == 0) {
    kept = std::max<std::int64_t>(
        1, std::llround(spec.validation_fraction * static_cast<double>(samples)));
  }
  if (kept >= samples) {
    fail(ErrorCode::kInvalidArgument,
         "data.validation keeps {} samples apart of {} training samples: nothing is left to train "
         "on",
         kept, samples);
  }
  std::vector<std::uint32_t> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), 0U);
  if (spec.split == SplitKind::kRandom) {
    Random(kSplitSeed, 0).shuffle(order);
  }
  const auto middle = order.end() - static_cast<std::ptrdiff_t>(kept);
  Split split{{order.begin(), middle}, {middle, order.end()}};
  std::sort(split.training.begin(), split.training.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

TrainData load_train_data(const TrainSpec& spec, const std::filesystem::path& data_dir) {
  TrainData data;
  data.train = load_one(spec, true, data_dir);
  data.test = load_one(spec, false, data_dir);
  data.sha256 = sha256_hex(as_bytes(data.train.sha256 + data.test.sha256));
  align_labels(data.train, data.test);
  fit_samples(data.train, spec);
  fit_samples(data.test, spec);
  check_test(data.train, data.test);
  Split split = split_samples(spec.data, data.train.size());
  data.training = std::move(split.training);
  data.validation = std::move(split.validation);
  return data;
}

ImageInput image_input(const TrainSpec& spec) {
  ImageInput input;
  input.name = "image";
  input.color = spec.input.color;
  input.width = spec.input.width;
  input.height = spec.input.height;
  input.resize = spec.input.resize;
  return input;
}

BatchReader::Convert input_converter(const TrainSpec& spec) {
  return
      [input = image_input(spec)](std::span<const std::uint8_t> pixels, std::span<float> values) {
        pixels_to_values(pixels, input, values);
      };
}

NetworkEnds network_ends(const TrainSpec& spec, const TrainData& data) {
  NetworkEnds ends;
  ends.sample = data.train.sample_shape();
  ends.outputs = data.train.outputs();
  ends.labels = data.train.labels;
  if (spec.input.standardize) {
    standardize(data, ends);
  }
  return ends;
}

}  // namespace onnxop
