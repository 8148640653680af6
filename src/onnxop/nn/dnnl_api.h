#pragma once
// oneDNN 2 and 3 behind one set of calls: version 3 has no operation descriptors and another order
// of arguments. Private to this room.

#include <utility>

#include <dnnl.hpp>

namespace onnxop::dnnl_api {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

#if DNNL_VERSION_MAJOR >= 3
#define ONNXOP_DNNL_PD(op, attr, engine, ...) op::primitive_desc(engine, __VA_ARGS__, attr)
#define ONNXOP_DNNL_PD_HINT(op, attr, engine, hint, ...) \
  op::primitive_desc(engine, __VA_ARGS__, hint, attr)
#else
#define ONNXOP_DNNL_PD(op, attr, engine, ...) \
  op::primitive_desc(op::desc(__VA_ARGS__), attr, engine)
#define ONNXOP_DNNL_PD_HINT(op, attr, engine, hint, ...) \
  op::primitive_desc(op::desc(__VA_ARGS__), attr, engine, hint)
#endif

inline Dims dims_of(const Desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  return desc.get_dims();
#else
  return desc.dims();
#endif
}

struct ConvGeometry {
  Dims strides, pads_begin, pads_end;
};

inline dnnl::primitive_attr user_scratchpad(bool relu) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (relu) {
    dnnl::post_ops ops;
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#else
    ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#endif
    attr.set_post_ops(ops);
  }
  return attr;
}

inline dnnl::convolution_forward::primitive_desc conv_forward(const dnnl::engine& engine,
                                                              const Desc& src, const Desc& weights,
                                                              const Desc& bias, const Desc& dst,
                                                              const ConvGeometry& g, bool relu) {
  return ONNXOP_DNNL_PD(dnnl::convolution_forward, user_scratchpad(relu), engine,
                        dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, src,
                        weights, bias, dst, g.strides, Dims(g.strides.size(), 0), g.pads_begin,
                        g.pads_end);
}

inline dnnl::convolution_backward_data::primitive_desc conv_backward_data(
    const dnnl::engine& engine, const Desc& diff_src, const Desc& weights, const Desc& diff_dst,
    const ConvGeometry& g, const dnnl::convolution_forward::primitive_desc& hint) {
  return ONNXOP_DNNL_PD_HINT(dnnl::convolution_backward_data, user_scratchpad(false), engine, hint,
                             dnnl::algorithm::convolution_direct, diff_src, weights, diff_dst,
                             g.strides, Dims(g.strides.size(), 0), g.pads_begin, g.pads_end);
}

inline dnnl::convolution_backward_weights::primitive_desc conv_backward_weights(
    const dnnl::engine& engine, const Desc& src, const Desc& diff_weights, const Desc& diff_bias,
    const Desc& diff_dst, const ConvGeometry& g,
    const dnnl::convolution_forward::primitive_desc& hint) {
  return ONNXOP_DNNL_PD_HINT(dnnl::convolution_backward_weights, user_scratchpad(false), engine,
                             hint, dnnl::algorithm::convolution_direct, src, diff_weights,
                             diff_bias, diff_dst, g.strides, Dims(g.strides.size(), 0),
                             g.pads_begin, g.pads_end);
}

inline dnnl::inner_product_forward::primitive_desc dense_forward(const dnnl::engine& engine,
                                                                 const Desc& src,
                                                                 const Desc& weights,
                                                                 const Desc& bias, const Desc& dst,
                                                                 bool relu) {
  return ONNXOP_DNNL_PD(dnnl::inner_product_forward, user_scratchpad(relu), engine,
                        dnnl::prop_kind::forward_training, src, weights, bias, dst);
}

inline dnnl::inner_product_backward_data::primitive_desc dense_backward_data(
    const dnnl::engine& engine, const Desc& diff_src, const Desc& weights, const Desc& diff_dst,
    const dnnl::inner_product_forward::primitive_desc& hint) {
  return ONNXOP_DNNL_PD_HINT(dnnl::inner_product_backward_data, user_scratchpad(false), engine,
                             hint, diff_src, weights, diff_dst);
}

inline dnnl::inner_product_backward_weights::primitive_desc dense_backward_weights(
    const dnnl::engine& engine, const Desc& src, const Desc& diff_weights, const Desc& diff_bias,
    const Desc& diff_dst, const dnnl::inner_product_forward::primitive_desc& hint) {
  return ONNXOP_DNNL_PD_HINT(dnnl::inner_product_backward_weights, user_scratchpad(false), engine,
                             hint, src, diff_weights, diff_bias, diff_dst);
}

/// Elementwise activation; the gradient is computed from its input.
inline dnnl::eltwise_forward::primitive_desc activation_forward(const dnnl::engine& engine,
                                                                dnnl::algorithm algorithm,
                                                                const Desc& value, float alpha) {
#if DNNL_VERSION_MAJOR >= 3
  return ONNXOP_DNNL_PD(dnnl::eltwise_forward, user_scratchpad(false), engine,
                        dnnl::prop_kind::forward_training, algorithm, value, value, alpha, 0.0F);
#else
  return ONNXOP_DNNL_PD(dnnl::eltwise_forward, user_scratchpad(false), engine,
                        dnnl::prop_kind::forward_training, algorithm, value, alpha, 0.0F);
#endif
}

inline dnnl::eltwise_backward::primitive_desc activation_backward(
    const dnnl::engine& engine, dnnl::algorithm algorithm, const Desc& value, float alpha,
    const dnnl::eltwise_forward::primitive_desc& hint) {
#if DNNL_VERSION_MAJOR >= 3
  return ONNXOP_DNNL_PD_HINT(dnnl::eltwise_backward, user_scratchpad(false), engine, hint,
                             algorithm, value, value, value, alpha, 0.0F);
#else
  return ONNXOP_DNNL_PD_HINT(dnnl::eltwise_backward, user_scratchpad(false), engine, hint,
                             algorithm, value, value, alpha, 0.0F);
#endif
}

}  // namespace onnxop::dnnl_api
