#include "onnxop/nn/weighted_operator.h"

#include <algorithm>
#include <cstring>

#include "onnxop/base/log.h"
#include "onnxop/nn/conv_plan.h"
#include "onnxop/nn/dnnl_api.h"
#include "onnxop/nn/kernels.h"
#include "onnxop/nn/node_error.h"

namespace onnxop {
namespace {

using dnnl_api::Desc;
using dnnl_api::Dims;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

std::int64_t elements_of(const Desc& desc) {
  return static_cast<std::int64_t>(desc.get_size() / sizeof(float));
}

Tensor buffer_for(const Desc& desc) {
  return Tensor(DType::kUint8,
                {static_cast<std::int64_t>(std::max<std::size_t>(desc.get_size(), 1))});
}

dnnl::memory view_of(const Desc& desc, const Tensor& buffer) {
  return {desc, cpu_engine(), const_cast<std::byte*>(buffer.bytes().data())};
}

/// oneDNN's reference implementation is a hundred times slower than the others; never taken without
/// a word.
void warn_of_reference(const char* implementation, const std::string& node, const char* direction) {
  if (is_reference(implementation)) {
    log_warning("node '{}': oneDNN has only its slow reference implementation ({}) for {}", node,
                implementation, direction);
  }
}

/// What Conv and dense have in common: three primitives, their weights in the layouts that they
/// chose, and gradients that stay in oneDNN's layout until the pieces' sums are taken out once a
/// batch.
template <typename Forward, typename BackwardData, typename BackwardWeights>
class WeightedOperator : public Operator {
 public:
  struct Primitives {
    typename Forward::primitive_desc forward;
    std::optional<typename BackwardData::primitive_desc> backward_data;  // where somebody reads it
    typename BackwardWeights::primitive_desc backward_weights;
  };

  /// `plain_weights`: as ONNX has them; `padded_dims`: as the primitives see them.
  WeightedOperator(const WeightedNode& node, const Layout& in, const Layout& out,
                   const Desc& plain_weights, const Dims& padded_dims, Primitives primitives,
                   double flops, ParameterTable& parameters)
      : Operator(node.node->name, node.node->op_type, in, out),
        relu_(node.relu),
        flops_(flops),
        plain_weights_(plain_weights),
        padded_weights_(padded_dims, Type::f32, padded_dims.size() == 4 ? Tag::abcd : Tag::ab),
        padding_(buffer_for(padded_weights_)),
        primitives_(std::move(primitives)),
        forward_(primitives_.forward),
        backward_data_(primitives_.backward_data ? BackwardData(*primitives_.backward_data)
                                                 : BackwardData()),
        backward_weights_(primitives_.backward_weights),
        gradient_desc_(primitives_.backward_weights.diff_dst_desc()),
        weights_(buffer_for(primitives_.forward.weights_desc())),
        data_weights_(primitives_.backward_data
                          ? buffer_for(primitives_.backward_data->weights_desc())
                          : Tensor()),
        bias_(DType::kFloat32, {out_.padded}) {
    warn_of_reference(primitives_.forward.impl_info_str(), this->node(), "forward");
    if (primitives_.backward_data) {
      warn_of_reference(primitives_.backward_data->impl_info_str(), this->node(), "backward data");
    }
    warn_of_reference(primitives_.backward_weights.impl_info_str(), this->node(),
                      "backward weights");
    weights_slot_ = parameters.add(*node.weights,
                                   elements_of(primitives_.backward_weights.diff_weights_desc()));
    if (node.bias != nullptr) {
      bias_slot_ = parameters.add(*node.bias, out_.padded);
    }
    if (gradient_desc_ != out_.desc) {
      rearrange_ = dnnl::reorder(
          dnnl::reorder::primitive_desc(cpu_engine(), out_.desc, cpu_engine(), gradient_desc_));
    }
  }

  void bind(PieceContext& context, std::size_t index) const override {
    auto& work = context.workspaces[index];
    work.push_back(buffer_for(primitives_.forward.scratchpad_desc()));
    work.push_back(buffer_for(primitives_.backward_weights.scratchpad_desc()));
    work.emplace_back(DType::kFloat32,
                      Shape{out_.padded});  // the gradient of a bias that is not there
    const auto src = view_of(in_.desc, context.values[index]);
    const auto dst = view_of(out_.desc, context.values[index + 1]);
    const auto diff_dst = view_of(out_.desc, context.gradients[index + 1]);
    work.push_back(rearrange_ ? buffer_for(gradient_desc_) : Tensor());
    const auto weights_diff_dst = rearrange_ ? view_of(gradient_desc_, work[3]) : diff_dst;
    const auto bias = view_of(primitives_.forward.bias_desc(), bias_);
    auto& arguments = context.arguments[index];
    arguments.push_back(
        {{DNNL_ARG_SRC, src},
         {DNNL_ARG_WEIGHTS, view_of(primitives_.forward.weights_desc(), weights_)},
         {DNNL_ARG_BIAS, bias},
         {DNNL_ARG_DST, dst},
         {DNNL_ARG_SCRATCHPAD, view_of(primitives_.forward.scratchpad_desc(), work[0])}});
    arguments.push_back(
        {{DNNL_ARG_SRC, src},
         {DNNL_ARG_DIFF_DST, weights_diff_dst},
         {DNNL_ARG_DIFF_WEIGHTS,
          {primitives_.backward_weights.diff_weights_desc(), cpu_engine(), nullptr}},
         {DNNL_ARG_DIFF_BIAS,
          {primitives_.backward_weights.diff_bias_desc(), cpu_engine(), nullptr}},
         {DNNL_ARG_SCRATCHPAD, view_of(primitives_.backward_weights.scratchpad_desc(), work[1])}});
    if (primitives_.backward_data) {
      work.push_back(buffer_for(primitives_.backward_data->scratchpad_desc()));
      arguments.push_back(
          {{DNNL_ARG_DIFF_DST, diff_dst},
           {DNNL_ARG_WEIGHTS, view_of(primitives_.backward_data->weights_desc(), data_weights_)},
           {DNNL_ARG_DIFF_SRC, view_of(in_.desc, context.gradients[index])},
           {DNNL_ARG_SCRATCHPAD,
            view_of(primitives_.backward_data->scratchpad_desc(), work.back())}});
    }
  }

  void forward(PieceContext& context, std::size_t index) const override {
    timed(context, "forward", primitives_.forward.impl_info_str(), flops_,
          [&] { run(forward_, context, context.arguments[index][0]); });
  }

  void backward(PieceContext& context, std::size_t index, bool data) const override {
    if (relu_ && !relu_gradient_done) {
      timed(context, "backward ReLU", "own", 0, [&] { zero_where_relu_did(context, index); });
    }
    auto& arguments = context.arguments[index][1];
    arguments.at(DNNL_ARG_DIFF_WEIGHTS)
        .set_data_handle(context.parameter_gradients + weights_slot_.gradient_offset);
    arguments.at(DNNL_ARG_DIFF_BIAS)
        .set_data_handle(bias_slot_ ? context.parameter_gradients + bias_slot_->gradient_offset
                                    : context.workspaces[index][2].values<float>().data());
    if (rearrange_) {
      timed(context, "backward layout", "reorder", 0, [&] {
        dnnl::memory from = view_of(out_.desc, context.gradients[index + 1]);
        rearrange_->execute(context.stream, from, arguments.at(DNNL_ARG_DIFF_DST));
      });
    }
    timed(context, "backward weights", primitives_.backward_weights.impl_info_str(), flops_,
          [&] { run(backward_weights_, context, arguments); });
    if (data) {
      timed(context, "backward data", primitives_.backward_data->impl_info_str(), flops_,
            [&] { run(backward_data_, context, context.arguments[index][2]); });
    }
  }

  void load_parameters(std::span<const float> parameters, std::span<float>,
                       dnnl::stream& stream) override {
    dnnl::memory plain(plain_weights_, cpu_engine(),
                       const_cast<float*>(parameters.data() + weights_slot_.offset));
    if (is_padded()) {
      const auto padding = padding_.bytes();  // gradients may have been there
      std::fill(padding.begin(), padding.end(), std::byte{0});
      copy(plain, unpadded(), stream);
      plain = view_of(padded_weights_, padding_);
    }
    const auto load = [&](const dnnl::memory& to) { copy(plain, to, stream); };
    load(view_of(primitives_.forward.weights_desc(), weights_));
    if (primitives_.backward_data) {
      load(view_of(primitives_.backward_data->weights_desc(), data_weights_));
    }
    if (bias_slot_) {
      std::copy_n(parameters.begin() + bias_slot_->offset, bias_slot_->size,
                  bias_.values<float>().begin());
    }
    stream.wait();
  }

  void unload_gradients(std::span<const float> from, std::span<float> to,
                        dnnl::stream& stream) const override {
    dnnl::memory blocked(primitives_.backward_weights.diff_weights_desc(), cpu_engine(),
                         const_cast<float*>(from.data() + weights_slot_.gradient_offset));
    dnnl::memory plain(plain_weights_, cpu_engine(), to.data() + weights_slot_.offset);
    if (is_padded()) {
      copy(blocked, view_of(padded_weights_, padding_), stream);
      copy(unpadded(), plain, stream);
    } else {
      copy(blocked, plain, stream);
    }
    if (bias_slot_) {
      std::copy_n(from.begin() + bias_slot_->gradient_offset, bias_slot_->size,
                  to.begin() + bias_slot_->offset);
    }
    stream.wait();
  }

  double forward_flops() const override { return flops_; }
  double weight_gradient_flops() const override { return flops_; }
  double data_gradient_flops() const override { return flops_; }
  bool fused_relu() const override { return relu_; }

 private:
  static void run(const dnnl::primitive& primitive, PieceContext& context,
                  const PrimitiveArguments& arguments) {
    primitive.execute(context.stream, arguments);
  }

  static void copy(dnnl::memory from, dnnl::memory to, dnnl::stream& stream) {
    dnnl::reorder(from, to).execute(stream, from, to);
  }

  bool is_padded() const { return in_.padded != in_.channels || out_.padded != out_.channels; }

  /// The part of the padded weights that stands for the node's.
  dnnl::memory unpadded() const {
    const Dims dims = dnnl_api::dims_of(plain_weights_);
    return view_of(padded_weights_.submemory_desc(dims, Dims(dims.size(), 0)), padding_);
  }

  void zero_where_relu_did(PieceContext& context, std::size_t index) const {
    const std::int64_t n = out_.samples * out_.sample_size();
    auto* value = context.values[index + 1].bytes().data();
    auto* gradient = context.gradients[index + 1].bytes().data();
    if (out_.bfloat16) {
      relu_backward(reinterpret_cast<Bfloat16*>(value), reinterpret_cast<Bfloat16*>(gradient), n);
    } else {
      relu_backward(reinterpret_cast<float*>(value), reinterpret_cast<float*>(gradient), n);
    }
  }

  bool relu_;
  double flops_;
  Desc plain_weights_, padded_weights_;
  Tensor padding_;  // padded_weights_: zero but for the node's weights, and room for gradients
  Primitives primitives_;
  Forward forward_;
  BackwardData backward_data_;
  BackwardWeights backward_weights_;
  Desc gradient_desc_;  // of the output's gradient, as backward_weights_ reads it
  std::optional<dnnl::reorder> rearrange_;  // to it, where that is not the output's layout
  Tensor weights_, data_weights_, bias_;
  ParameterSlot weights_slot_;
  std::optional<ParameterSlot> bias_slot_;
};

using ConvOperator = WeightedOperator<dnnl::convolution_forward, dnnl::convolution_backward_data,
                                      dnnl::convolution_backward_weights>;
using DenseOperator =
    WeightedOperator<dnnl::inner_product_forward, dnnl::inner_product_backward_data,
                     dnnl::inner_product_backward_weights>;

}  // namespace

std::unique_ptr<Operator> make_conv(const WeightedNode& node, const Layout& in,
                                    ParameterTable& parameters) {
  const Shape& shape = node.weights->tensor.shape();
  const ConvShape conv = conv_shape(*node.node, shape, in);
  const Dims dims(shape.begin(), shape.end());
  const Dims padded{conv.out.padded, in.padded, shape[2], shape[3]};
  const Desc weights(padded, compute_type(in), Tag::any);
  const Desc weight_gradients(padded, Type::f32, Tag::any);
  const Desc bias({conv.out.padded}, Type::f32, Tag::a);
  const ConvPlan plan = plan_conv(in, conv, weights, bias, node);
  ConvOperator::Primitives primitives{
      plan.forward, std::nullopt,
      plan_weight_gradients(plan, weight_gradients, bias, conv.geometry)};
  if (node.data_gradient) {
    primitives.backward_data = dnnl_api::conv_backward_data(
        cpu_engine(), plan.in.desc, weights, plan.out.desc, conv.geometry, plan.forward);
  }
  const double flops =
      2.0 * static_cast<double>(element_count(shape) * plan.out.height * plan.out.width);
  return std::make_unique<ConvOperator>(node, plan.in, plan.out, Desc(dims, Type::f32, Tag::oihw),
                                        padded, primitives, flops, parameters);
}

std::unique_ptr<Operator> make_dense(const WeightedNode& node, const Layout& in,
                                     bool out_features_first, ParameterTable& parameters) {
  const Shape& shape = node.weights->tensor.shape();
  expect(shape.size() == 2, *node.node, "its weights have no two dimensions");
  const std::int64_t out_features = shape[out_features_first ? 0 : 1];
  const std::int64_t in_features = shape[out_features_first ? 1 : 0];
  const std::int64_t flat = in.channels * in.height * in.width;
  expect(in_features == flat, *node.node,
         format("its weights are for {} inputs, its input has {}", in_features, flat));
  // An image comes as it is: the weights' columns stand for its channels, rows and columns, in
  // ONNX's Flatten order.
  const std::int64_t pixels = in.height * in.width;
  Dims dims{out_features, in_features};
  Dims strides = out_features_first ? Dims{in_features, 1} : Dims{1, out_features};
  if (in.image) {
    dims = Dims{out_features, in.channels, in.height, in.width};
    const std::int64_t step = strides[1];
    strides = Dims{strides[0], pixels * step, in.width * step, step};
  }
  Dims padded = dims;
  padded[1] = in.padded;
  const Desc weights(padded, compute_type(in), Tag::any);
  const Desc weight_gradients(padded, Type::f32, Tag::any);
  const Desc bias({out_features}, Type::f32, Tag::a);
  const Layout out = plain_vector(in.samples, out_features, in.bfloat16);
  const auto forward =
      dnnl_api::dense_forward(cpu_engine(), in.desc, weights, bias, out.desc, node.relu);
  DenseOperator::Primitives primitives{
      forward, std::nullopt,
      dnnl_api::dense_backward_weights(cpu_engine(), in.desc, weight_gradients, bias, out.desc,
                                       forward)};
  if (node.data_gradient) {
    primitives.backward_data =
        dnnl_api::dense_backward_data(cpu_engine(), in.desc, weights, out.desc, forward);
  }
  return std::make_unique<DenseOperator>(
      node, in, out, Desc(dims, Type::f32, strides), padded, primitives,
      2.0 * static_cast<double>(in_features * out_features), parameters);
}

}  // namespace onnxop
