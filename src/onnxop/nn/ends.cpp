#include "onnxop/nn/ends.h"

#include <algorithm>
#include <cmath>

#include "onnxop/nn/kernels.h"

namespace onnxop {
namespace {

/// The first outputs() elements of a sample of the last value.
void read_sample(const Tensor& tensor, const Layout& layout, std::int64_t sample,
                 std::span<float> to) {
  const std::int64_t from = sample * layout.sample_size();
  if (layout.bfloat16) {
    convert(reinterpret_cast<const Bfloat16*>(tensor.bytes().data()) + from, to.data(),
            static_cast<std::int64_t>(to.size()));
  } else {
    std::copy_n(reinterpret_cast<const float*>(tensor.bytes().data()) + from, to.size(),
                to.begin());
  }
}

void write_sample(Tensor& tensor, const Layout& layout, std::int64_t sample,
                  std::span<const float> from) {
  const std::int64_t to = sample * layout.sample_size();
  if (layout.bfloat16) {
    convert(from.data(), reinterpret_cast<Bfloat16*>(tensor.bytes().data()) + to,
            static_cast<std::int64_t>(from.size()));
  } else {
    std::copy(from.begin(), from.end(), reinterpret_cast<float*>(tensor.bytes().data()) + to);
  }
}

void softmax_in_place(std::span<float> values) {
  const float largest = *std::max_element(values.begin(), values.end());
  float sum = 0;
  for (float& value : values) {
    value = std::exp(value - largest);
    sum += value;
  }
  for (float& value : values) {
    value /= sum;
  }
}

/// log(sum(exp(x))) - sum(target * x), which stays finite where a probability is rounded to 0.
double cross_entropy(std::span<const float> logits, const float* targets) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  double weighted = 0;
  double target_sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    sum += std::exp(static_cast<double>(logits[i] - largest));
    weighted += static_cast<double>(targets[i]) * (logits[i] - largest);
    target_sum += targets[i];
  }
  return target_sum * std::log(sum) - weighted;
}

std::int64_t index_of_largest(const float* values, std::int64_t n) {
  return std::max_element(values, values + n) - values;
}

}  // namespace

void InputStage::load(PieceContext& context) const {
  const std::int64_t channels = layout.channels;
  const std::int64_t pixels = layout.height * layout.width;
  const std::int64_t size = channels * pixels;
  std::vector<float> sample(static_cast<std::size_t>(size));
  for (std::int64_t n = 0; n < layout.samples; ++n) {
    if (n >= context.valid) {
      std::fill(sample.begin(), sample.end(), 0.0F);
    } else {
      const float* from = context.inputs + n * size;
      for (std::int64_t c = 0; c < channels; ++c) {
        const float a = scale[static_cast<std::size_t>(c)];
        const float b = offset[static_cast<std::size_t>(c)];
        const std::int64_t step = channels_last ? channels : 1;
        const float* channel = from + (channels_last ? c : c * pixels);
        float* to = sample.data() + c * pixels;
        for (std::int64_t p = 0; p < pixels; ++p) {
          to[p] = channel[p * step] * a + b;
        }
      }
    }
    write_sample(context.values.front(), layout, n, sample);
  }
}

void LossStage::predict(PieceContext& context) const {
  for (std::int64_t n = 0; n < context.valid; ++n) {
    const std::span<float> to(context.outputs + n * outputs(), static_cast<std::size_t>(outputs()));
    read_sample(context.values.back(), layout, n, to);
    if (softmax) {
      softmax_in_place(to);
    }
  }
}

void LossStage::differentiate(PieceContext& context) const {
  const auto size = static_cast<std::size_t>(outputs());
  std::vector<float> values(size);
  std::vector<float> gradient(size);
  const auto batch = static_cast<float>(context.batch);
  for (std::int64_t n = 0; n < layout.samples; ++n) {
    if (n >= context.valid) {
      std::fill(gradient.begin(), gradient.end(), 0.0F);
      write_sample(context.gradients.back(), layout, n, gradient);
      continue;
    }
    const float* targets = context.targets + n * outputs();
    read_sample(context.values.back(), layout, n, values);
    if (kind == LossKind::kCategoricalCrossentropy) {
      context.loss_sum += cross_entropy(values, targets);
      softmax_in_place(values);
      float target_sum = 0;
      for (std::size_t i = 0; i < size; ++i) {
        target_sum += targets[i];
      }
      for (std::size_t i = 0; i < size; ++i) {
        gradient[i] = (values[i] * target_sum - targets[i]) / batch;
      }
    } else {
      double squares = 0;
      for (std::size_t i = 0; i < size; ++i) {
        const float difference = values[i] - targets[i];
        squares += static_cast<double>(difference) * difference;
        gradient[i] = 2 * difference / (static_cast<float>(size) * batch);
      }
      context.loss_sum += squares / static_cast<double>(size);
    }
    context.correct +=
        index_of_largest(values.data(), outputs()) == index_of_largest(targets, outputs()) ? 1 : 0;
    write_sample(context.gradients.back(), layout, n, gradient);
  }
}

}  // namespace onnxop
