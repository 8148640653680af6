#include "onnxop/nn/batch_norm_operator.h"

#include <cmath>

#include "onnxop/base/error.h"
#include "onnxop/nn/kernels.h"

namespace onnxop {
namespace {

class BatchNormOperator : public Operator {
 public:
  BatchNormOperator(const GraphNode& node, const BatchNormWeights& weights, const Layout& in,
                    ParameterTable& parameters)
      : Operator(node.name, node.op_type, in, in),
        epsilon_(node.attribute("epsilon", 1e-5F)),
        momentum_(node.attribute("momentum", 0.9F)),
        channels_(static_cast<std::size_t>(in.channels)),
        mean_(channels_),
        deviation_(channels_),
        sum_(channels_),
        product_(channels_) {
    scale_slot_ = parameters.add(*weights.scale, in.channels);
    bias_slot_ = parameters.add(*weights.bias, in.channels);
    mean_slot_ = parameters.add_state(*weights.mean);
    variance_slot_ = parameters.add_state(*weights.variance);
  }

  bool needs_whole_batch() const override { return true; }

  void bind(PieceContext& context, std::size_t index) const override {
    context.workspaces[index].emplace_back(DType::kFloat64, Shape{2 * in_.channels});
  }

  /// Sums and sums of squares of the piece. Squares are of the distance to the running mean, which
  /// is near the batch's.
  void forward(PieceContext& context, std::size_t index) const override {
    collect(context, index, [&](std::size_t channel, std::int64_t at) {
      const double x = read(context.values[index], at) - running(mean_slot_, channel);
      return std::pair{x, x * x};
    });
  }

  void combine_forward(std::span<PieceContext* const> pieces, std::size_t index) override {
    const double count = static_cast<double>(pieces.front()->batch * in_.height * in_.width);
    gather(pieces, index);
    for (std::size_t c = 0; c < channels_; ++c) {
      const double shift = sum_[c] / count;
      const double variance = std::max(product_[c] / count - shift * shift, 0.0);
      mean_[c] = running(mean_slot_, c) + shift;
      deviation_[c] = std::sqrt(variance + epsilon_);
      update(mean_slot_, c, mean_[c]);
      update(variance_slot_, c, variance);
    }
  }

  void after_forward(PieceContext& context, std::size_t index) const override {
    normalise(context, index, [&](std::size_t c) { return std::pair{mean_[c], deviation_[c]}; });
  }

  void infer(PieceContext& context, std::size_t index) const override {
    normalise(context, index, [&](std::size_t c) {
      return std::pair{running(mean_slot_, c), std::sqrt(running(variance_slot_, c) + epsilon_)};
    });
  }

  void backward(PieceContext& context, std::size_t index, bool) const override {
    collect(context, index, [&](std::size_t channel, std::int64_t at) {
      const double gradient = read(context.gradients[index + 1], at);
      const double x = (read(context.values[index], at) - mean_[channel]) / deviation_[channel];
      return std::pair{gradient, gradient * x};
    });
  }

  /// The weights' gradients are those of the whole batch; the first piece carries them.
  void combine_backward(std::span<PieceContext* const> pieces, std::size_t index) override {
    gather(pieces, index);
    for (PieceContext* piece : pieces) {
      const bool first = piece == pieces.front();
      for (std::size_t c = 0; c < channels_; ++c) {
        piece->parameter_gradients[static_cast<std::size_t>(scale_slot_.gradient_offset) + c] =
            first ? static_cast<float>(product_[c]) : 0.0F;
        piece->parameter_gradients[static_cast<std::size_t>(bias_slot_.gradient_offset) + c] =
            first ? static_cast<float>(sum_[c]) : 0.0F;
      }
    }
  }

  void after_backward(PieceContext& context, std::size_t index, bool data) const override {
    if (!data) {
      return;
    }
    const double count = static_cast<double>(context.batch * in_.height * in_.width);
    for_each_element(context.valid, [&](std::size_t c, std::int64_t at) {
      const double x = (read(context.values[index], at) - mean_[c]) / deviation_[c];
      const double gradient = read(context.gradients[index + 1], at);
      write(context.gradients[index], at,
            scale_[c] / deviation_[c] * (gradient - sum_[c] / count - x * product_[c] / count));
    });
    zero_rest(context.gradients[index], context.valid);
  }

  void load_parameters(std::span<const float> parameters, std::span<float> states,
                       dnnl::stream&) override {
    const auto from = [&](const ParameterSlot& slot) { return parameters.begin() + slot.offset; };
    states_ = states;
    scale_.assign(from(scale_slot_), from(scale_slot_) + in_.channels);
    bias_.assign(from(bias_slot_), from(bias_slot_) + in_.channels);
  }

  void unload_gradients(std::span<const float> from, std::span<float> to,
                        dnnl::stream&) const override {
    for (const ParameterSlot* slot : {&scale_slot_, &bias_slot_}) {
      std::copy_n(from.begin() + slot->gradient_offset, slot->size, to.begin() + slot->offset);
    }
  }

 private:
  double read(const Tensor& tensor, std::int64_t at) const {
    return in_.bfloat16
               ? static_cast<double>(
                     to_float(reinterpret_cast<const Bfloat16*>(tensor.bytes().data())[at]))
               : static_cast<double>(reinterpret_cast<const float*>(tensor.bytes().data())[at]);
  }

  void write(Tensor& tensor, std::int64_t at, double value) const {
    if (in_.bfloat16) {
      reinterpret_cast<Bfloat16*>(tensor.bytes().data())[at] =
          to_bfloat16(static_cast<float>(value));
    } else {
      reinterpret_cast<float*>(tensor.bytes().data())[at] = static_cast<float>(value);
    }
  }

  /// visit(channel, position) for each element of the first `samples` samples that stands for a
  /// channel.
  template <typename Visit>
  void for_each_element(std::int64_t samples, Visit visit) const {
    const std::int64_t pixels = in_.height * in_.width;
    for (std::int64_t run = 0; run < samples * in_.blocks; ++run) {
      const std::int64_t first = (run % in_.blocks) * in_.block;
      const std::int64_t lanes = std::min(in_.block, in_.channels - first);
      for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
        const std::int64_t at = (run * pixels + pixel) * in_.block;
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
          visit(static_cast<std::size_t>(first + lane), at + lane);
        }
      }
    }
  }

  template <typename Terms>
  void collect(PieceContext& context, std::size_t index, Terms terms) const {
    auto totals = context.workspaces[index][0].values<double>();
    std::fill(totals.begin(), totals.end(), 0.0);
    for_each_element(context.valid, [&](std::size_t channel, std::int64_t at) {
      const auto [first, second] = terms(channel, at);
      totals[channel] += first;
      totals[channels_ + channel] += second;
    });
  }

  void gather(std::span<PieceContext* const> pieces, std::size_t index) {
    std::fill(sum_.begin(), sum_.end(), 0.0);
    std::fill(product_.begin(), product_.end(), 0.0);
    for (PieceContext* piece : pieces) {
      const auto totals = piece->workspaces[index][0].values<double>();
      for (std::size_t c = 0; c < channels_; ++c) {
        sum_[c] += totals[c];
        product_[c] += totals[channels_ + c];
      }
    }
  }

  template <typename Statistics>
  void normalise(PieceContext& context, std::size_t index, Statistics statistics) const {
    for_each_element(context.valid, [&](std::size_t c, std::int64_t at) {
      const auto [mean, deviation] = statistics(c);
      write(context.values[index + 1], at,
            (read(context.values[index], at) - mean) / deviation * scale_[c] + bias_[c]);
    });
    zero_rest(context.values[index + 1], context.valid);
  }

  void zero_rest(Tensor& tensor, std::int64_t samples) const {
    const std::size_t element = in_.bfloat16 ? 2 : 4;
    const auto from = static_cast<std::size_t>(samples * in_.sample_size()) * element;
    const auto rest = tensor.bytes().subspan(from);
    std::fill(rest.begin(), rest.end(), std::byte{0});
  }

  double running(const ParameterSlot& slot, std::size_t channel) const {
    return states_[static_cast<std::size_t>(slot.offset) + channel];
  }

  void update(const ParameterSlot& slot, std::size_t channel, double value) {
    auto& state = states_[static_cast<std::size_t>(slot.offset) + channel];
    state = static_cast<float>(state * momentum_ + value * (1 - momentum_));
  }

  double epsilon_, momentum_;
  std::size_t channels_;
  std::vector<double> mean_, deviation_;  // of the batch at hand
  std::vector<double> sum_, product_;     // over the whole batch
  std::vector<float> scale_, bias_;
  ParameterSlot scale_slot_, bias_slot_, mean_slot_, variance_slot_;
  std::span<float> states_;  // the network's
};

}  // namespace

std::unique_ptr<Operator> make_batch_norm(const GraphNode& node, const BatchNormWeights& weights,
                                          const Layout& in, ParameterTable& parameters) {
  return std::make_unique<BatchNormOperator>(node, weights, in, parameters);
}

}  // namespace onnxop
