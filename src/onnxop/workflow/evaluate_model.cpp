#include "onnxop/workflow/evaluate_model.h"

#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/preprocess/preprocess.h"
#include "onnxop/serving/prediction.h"
#include "onnxop/workflow/dataset_ref.h"

namespace onnxop {
namespace {

constexpr std::int64_t kBatch = 100;

/// The data's classes renumbered as the model's; unnamed ones are numbers already.
void match_labels(Dataset& dataset, const std::vector<std::string>& labels, std::string_view name) {
  if (labels.empty() || dataset.labels == labels) {
    return;
  }
  std::vector<std::int32_t> number;
  for (const auto& label : dataset.labels) {
    const auto at = std::find(labels.begin(), labels.end(), label);
    if (at == labels.end()) {
      fail(ErrorCode::kInvalidArgument, "{}: its class '{}' is none of the model's: {}", name,
           label, join(labels, ", "));
    }
    number.push_back(static_cast<std::int32_t>(at - labels.begin()));
  }
  for (auto& one : dataset.classes) {
    one = number[static_cast<std::size_t>(one)];
  }
  dataset.labels = labels;
}

std::vector<Image> images_of(const Dataset& dataset, const ImageInput& input) {
  const Shape shape = dataset.sample_shape();
  const auto size = static_cast<std::size_t>(element_count(shape));
  const auto all = dataset.samples.values<std::uint8_t>();
  std::vector<Image> images;
  for (std::size_t i = 0; i < static_cast<std::size_t>(dataset.size()); ++i) {
    const auto pixels = all.subspan(i * size, size);
    images.push_back(fit_image({static_cast<int>(shape[1]),
                                static_cast<int>(shape[0]),
                                static_cast<int>(shape[2]),
                                {pixels.begin(), pixels.end()}},
                               input));
  }
  return images;
}

/// The data set with every image as the contract wants it, so that the evaluation's samples are the
/// model's inputs.
Dataset fitted(Dataset dataset, const ImageInput& input) {
  const auto images = images_of(dataset, input);
  const auto channels = static_cast<std::int64_t>(input.color == ImageColor::kGray ? 1 : 3);
  Tensor samples(DType::kUint8, {dataset.size(), input.height, input.width, channels});
  auto to = samples.values<std::uint8_t>().begin();
  for (const auto& image : images) {
    to = std::copy(image.pixels.begin(), image.pixels.end(), to);
  }
  dataset.samples = std::move(samples);
  return dataset;
}

}  // namespace

Evaluation evaluate_model(
    const ServedModel& model, std::string_view dataset_name,
    const std::function<void(std::span<const float> rows, std::int64_t samples)>& observe) {
  if (!model.contract || model.contract->output.kind != OutputKind::kClassification) {
    fail(ErrorCode::kInvalidArgument,
         "{}: does not say how images become its input and classes its output; "
         "import it with --contract",
         model.path.string());
  }
  const Contract& contract = *model.contract;
  Dataset dataset = fitted(open_dataset(dataset_name, contract.input), contract.input);
  match_labels(dataset, contract.output.labels, dataset_name);
  const auto predict = [&](std::span<const float> inputs, std::int64_t n,
                           std::span<float> outputs) {
    Tensor tensor(model.input_dtype, image_batch_shape(n, contract.input));
    if (model.input_dtype == DType::kFloat32) {
      std::copy(inputs.begin(), inputs.end(), tensor.values<float>().begin());
    } else {
      std::transform(inputs.begin(), inputs.end(), tensor.values<std::uint8_t>().begin(),
                     [](float value) { return static_cast<std::uint8_t>(value); });
    }
    std::vector<NamedTensor> named;
    named.push_back({contract.input.name, std::move(tensor)});
    const auto answers = model.scorer->run(named);
    const std::size_t classes = outputs.size() / static_cast<std::size_t>(n);
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      const auto values = read_prediction(contract.output, answers, i).values;
      if (values.size() != classes) {
        fail(ErrorCode::kInvalidArgument, "{}: {} classes, but {} has {}", model.path.string(),
             values.size(), dataset_name, classes);
      }
      std::transform(values.begin(), values.end(),
                     outputs.begin() + static_cast<std::ptrdiff_t>(i * classes),
                     [](double value) { return static_cast<float>(value); });
    }
    if (observe) {
      observe(outputs, n);
    }
  };
  const auto convert = [&](std::span<const std::uint8_t> pixels, std::span<float> values) {
    pixels_to_values(pixels, contract.input, values);
  };
  return evaluate(predict, dataset, convert, kBatch);
}

}  // namespace onnxop
