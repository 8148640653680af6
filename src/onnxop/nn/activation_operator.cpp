#include <algorithm>
#include <array>

#include "onnxop/base/error.h"
#include "onnxop/nn/dnnl_api.h"
#include "onnxop/nn/simple_operators.h"

namespace onnxop {
namespace {

struct KnownActivation {
  std::string_view op_type;
  dnnl::algorithm algorithm;
  float alpha;  // ONNX's default; for Softplus oneDNN's exponent
};

constexpr std::array<KnownActivation, 6> kActivations{
    {{"Relu", dnnl::algorithm::eltwise_relu, 0.0F},
     {"LeakyRelu", dnnl::algorithm::eltwise_relu, 0.01F},
     {"Elu", dnnl::algorithm::eltwise_elu, 1.0F},
     {"Sigmoid", dnnl::algorithm::eltwise_logistic, 0.0F},
     {"Tanh", dnnl::algorithm::eltwise_tanh, 0.0F},
     {"Softplus", dnnl::algorithm::eltwise_soft_relu, 1.0F}}};

const KnownActivation* find_activation(const std::string& op_type) {
  const auto* at =
      std::find_if(kActivations.begin(), kActivations.end(),
                   [&](const KnownActivation& known) { return known.op_type == op_type; });
  return at == kActivations.end() ? nullptr : at;
}

class ActivationOperator : public Operator {
 public:
  ActivationOperator(const GraphNode& node, const Layout& in, const KnownActivation& known)
      : Operator(node.name, node.op_type, in, in) {
    const float alpha = node.attribute("alpha", known.alpha);
    const auto forward =
        dnnl_api::activation_forward(cpu_engine(), known.algorithm, in.desc, alpha);
    const auto backward =
        dnnl_api::activation_backward(cpu_engine(), known.algorithm, in.desc, alpha, forward);
    forward_scratchpad_ = forward.scratchpad_desc();
    backward_scratchpad_ = backward.scratchpad_desc();
    implementation_ = forward.impl_info_str();
    forward_ = dnnl::eltwise_forward(forward);
    backward_ = dnnl::eltwise_backward(backward);
  }

  void bind(PieceContext& context, std::size_t index) const override {
    const auto memory = [&](const std::vector<Tensor>& tensors, std::size_t at) {
      return dnnl::memory(in_.desc, cpu_engine(),
                          const_cast<std::byte*>(tensors[at].bytes().data()));
    };
    const auto src = memory(context.values, index);
    const auto diff_src = memory(context.gradients, index);
    const auto diff_dst = memory(context.gradients, index + 1);
    context.arguments[index].push_back(
        {{DNNL_ARG_SRC, src},
         {DNNL_ARG_DST, memory(context.values, index + 1)},
         {DNNL_ARG_SCRATCHPAD, dnnl::memory(forward_scratchpad_, cpu_engine())}});
    context.arguments[index].push_back(
        {{DNNL_ARG_SRC, src},
         {DNNL_ARG_DIFF_DST, diff_dst},
         {DNNL_ARG_DIFF_SRC, diff_src},
         {DNNL_ARG_SCRATCHPAD, dnnl::memory(backward_scratchpad_, cpu_engine())}});
  }

  void forward(PieceContext& context, std::size_t index) const override {
    timed(context, "forward", implementation_, 0,
          [&] { forward_.execute(context.stream, context.arguments[index][0]); });
  }

  void backward(PieceContext& context, std::size_t index, bool data) const override {
    if (data) {
      timed(context, "backward data", implementation_, 0,
            [&] { backward_.execute(context.stream, context.arguments[index][1]); });
    }
  }

 private:
  dnnl::memory::desc forward_scratchpad_, backward_scratchpad_;
  std::string implementation_;
  dnnl::eltwise_forward forward_;
  dnnl::eltwise_backward backward_;
};

}  // namespace

bool is_activation(const std::string& op_type) {
  return find_activation(op_type) != nullptr;
}

std::unique_ptr<Operator> make_activation(const GraphNode& node, const Layout& in) {
  const KnownActivation* known = find_activation(node.op_type);
  if (known == nullptr) {
    fail(ErrorCode::kInternal, "node '{}': {} is no activation", node.name, node.op_type);
  }
  return std::make_unique<ActivationOperator>(node, in, *known);
}

}  // namespace onnxop
