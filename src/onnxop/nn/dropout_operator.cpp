#include <cstring>

#include "onnxop/nn/kernels.h"
#include "onnxop/nn/simple_operators.h"

namespace onnxop {
namespace {

class DropoutOperator : public Operator {
 public:
  DropoutOperator(const GraphNode& node, const Layout& in, double rate, std::uint64_t seed,
                  std::uint32_t stream)
      : Operator(node.name, node.op_type, in, in), rate_(rate), seed_(seed), stream_(stream) {}

  void bind(PieceContext& context, std::size_t index) const override {
    context.workspaces[index].emplace_back(DType::kUint8, Shape{in_.samples * in_.sample_size()});
  }

  void forward(PieceContext& context, std::size_t index) const override {
    timed(context, "forward", "own", 0, [&] {
      auto* keep = context.workspaces[index][0].values<std::uint8_t>().data();
      for (std::int64_t i = 0; i < in_.samples; ++i) {
        dropout_mask(seed_, context.step, context.first_sample + i, stream_, rate_,
                     keep + i * in_.sample_size(), in_.sample_size());
      }
      mask(context, index, context.values[index], context.values[index + 1]);
    });
  }

  void infer(PieceContext& context, std::size_t index) const override {
    const auto from = context.values[index].bytes();
    std::memcpy(context.values[index + 1].bytes().data(), from.data(), from.size());
  }

  void backward(PieceContext& context, std::size_t index, bool data) const override {
    if (data) {
      timed(context, "backward data", "own", 0,
            [&] { mask(context, index, context.gradients[index + 1], context.gradients[index]); });
    }
  }

 private:
  void mask(PieceContext& context, std::size_t index, Tensor& from, Tensor& to) const {
    const auto* keep = context.workspaces[index][0].values<std::uint8_t>().data();
    const auto scale = static_cast<float>(1 / (1 - rate_));
    const std::int64_t n = in_.samples * in_.sample_size();
    if (in_.bfloat16) {
      apply_mask(reinterpret_cast<const Bfloat16*>(from.bytes().data()), keep, scale,
                 reinterpret_cast<Bfloat16*>(to.bytes().data()), n);
    } else {
      apply_mask(reinterpret_cast<const float*>(from.bytes().data()), keep, scale,
                 reinterpret_cast<float*>(to.bytes().data()), n);
    }
  }

  double rate_;
  std::uint64_t seed_;
  std::uint32_t stream_;
};

}  // namespace

std::unique_ptr<Operator> make_dropout(const GraphNode& node, const Layout& in, double rate,
                                       std::uint64_t seed, std::uint32_t stream) {
  return std::make_unique<DropoutOperator>(node, in, rate, seed, stream);
}

}  // namespace onnxop
