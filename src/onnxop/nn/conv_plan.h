#pragma once
// How a convolution is computed: its shapes, and which of oneDNN's primitives on which layouts.
// Private to this room.

#include "onnxop/nn/dnnl_api.h"
#include "onnxop/nn/layout.h"
#include "onnxop/nn/weighted_operator.h"

namespace onnxop {

struct ConvShape {
  dnnl_api::ConvGeometry geometry;
  Layout out;
};

/// Throws as refuse() does for a node whose attributes are not covered or do not fit.
ConvShape conv_shape(const GraphNode& node, const Shape& weights, const Layout& in);

/// What a convolution reads and makes, and how.
struct ConvPlan {
  Layout in, out;
  dnnl::convolution_forward::primitive_desc forward;
};

ConvPlan plan_conv(const Layout& in, const ConvShape& conv, const dnnl_api::Desc& weights,
                   const dnnl_api::Desc& bias, const WeightedNode& node);

/// Its diff_dst_desc() may be another layout than the plan's.
dnnl::convolution_backward_weights::primitive_desc plan_weight_gradients(
    const ConvPlan& plan, const dnnl_api::Desc& weight_gradients, const dnnl_api::Desc& bias,
    const dnnl_api::ConvGeometry& geometry);

/// Of the numbers that are computed with.
dnnl::memory::data_type compute_type(const Layout& layout);

/// Throws as refuse() does, unless that holds.
void expect(bool holds, const GraphNode& node, std::string_view what);

/// An implementation's name is that of one that is a hundred times slower than the others.
bool is_reference(std::string_view implementation);

}  // namespace onnxop
