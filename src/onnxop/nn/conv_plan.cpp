#include "onnxop/nn/conv_plan.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "onnxop/nn/node_error.h"

namespace onnxop {
namespace {

using dnnl_api::Desc;
using dnnl_api::Dims;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

bool is_slow(std::string_view implementation) {
  return is_reference(implementation) || implementation.find("gemm:") == 0;
}

/// Whether oneDNN multiplies matrices of bfloat16 in tiles (Intel's AMX) on this processor.
bool multiplies_tiles() {
  static const bool result = [] {
    const Desc matrix({64, 64}, Type::bf16, Tag::ab);
    const Desc weights({64, 64}, Type::bf16, Tag::any);
    const Desc bias({64}, Type::f32, Tag::a);
    try {
      const auto multiply =
          dnnl_api::dense_forward(cpu_engine(), matrix, weights, bias, matrix, false);
      return std::string_view(multiply.impl_info_str()).find("amx") != std::string_view::npos;
    } catch (const dnnl::error&) {
      return false;
    }
  }();
  return result;
}

}  // namespace

bool is_reference(std::string_view implementation) {
  return implementation.find("ref") != std::string_view::npos;
}

void expect(bool holds, const GraphNode& node, std::string_view what) {
  if (!holds) {
    refuse(node, what);
  }
}

ConvShape conv_shape(const GraphNode& node, const Shape& weights, const Layout& in) {
  using Ints = std::vector<std::int64_t>;
  expect(in.image, node, "its input has two dimensions, expected four");
  expect(weights.size() == 4, node, "its weights have no four dimensions");
  expect(node.attribute<std::string>("auto_pad", "NOTSET") == "NOTSET", node,
         "auto_pad is not covered, only pads");
  expect(node.attribute<std::int64_t>("group", 1) == 1, node, "groups are not covered");
  expect(node.attribute("dilations", Ints{1, 1}) == Ints{1, 1}, node, "dilations are not covered");
  expect(weights[1] == in.channels, node,
         format("its weights are for {} channels, its input has {}", weights[1], in.channels));
  expect(
      node.attribute("kernel_shape", Ints{weights[2], weights[3]}) == Ints{weights[2], weights[3]},
      node, format("kernel_shape is not that of its weights, {}", shape_text(weights)));
  const Ints strides = node.attribute("strides", Ints{1, 1});
  const Ints pads = node.attribute("pads", Ints{0, 0, 0, 0});
  expect(strides.size() == 2 && *std::min_element(strides.begin(), strides.end()) > 0, node,
         "strides are not two numbers over 0");
  expect(pads.size() == 4 && *std::min_element(pads.begin(), pads.end()) >= 0, node,
         "pads are not four numbers of 0 or more");
  const std::int64_t height = (in.height + pads[0] + pads[2] - weights[2]) / strides[0] + 1;
  const std::int64_t width = (in.width + pads[1] + pads[3] - weights[3]) / strides[1] + 1;
  expect(in.height + pads[0] + pads[2] >= weights[2] && in.width + pads[1] + pads[3] >= weights[3],
         node, "its kernel is larger than its input");
  return {{{strides[0], strides[1]}, {pads[0], pads[1]}, {pads[2], pads[3]}},
          padded_image(in.samples, weights[0], height, width, in.bfloat16)};
}

Type compute_type(const Layout& layout) {
  return layout.bfloat16 ? Type::bf16 : Type::f32;
}

/// oneDNN's convolutions with tiles want channels last, and are several times as fast as those on
/// the blocked layout that it chooses for an input that is blocked.
ConvPlan plan_conv(const Layout& in, const ConvShape& conv, const Desc& weights, const Desc& bias,
                   const WeightedNode& node) {
  if (in.bfloat16 && in.blocks == 1 && multiplies_tiles()) {
    ConvPlan plan{channels_last(in), channels_last(conv.out), {}};
    plan.forward = dnnl_api::conv_forward(cpu_engine(), plan.in.desc, weights, bias, plan.out.desc,
                                          conv.geometry, node.relu);
    if (!is_slow(plan.forward.impl_info_str())) {
      return plan;
    }
  }
  const auto forward = dnnl_api::conv_forward(cpu_engine(), in.desc, weights, bias,
                                              any_layout(conv.out), conv.geometry, node.relu);
  return {in, recognise(forward.dst_desc(), conv.out, node.node->name), forward};
}

/// Without AVX-512 oneDNN has only its reference for images of one channel whose results lie in
/// blocks; with results that lie channels first it multiplies matrices.
dnnl::convolution_backward_weights::primitive_desc plan_weight_gradients(
    const ConvPlan& plan, const Desc& weight_gradients, const Desc& bias,
    const dnnl_api::ConvGeometry& geometry) {
  const auto with = [&](const Desc& diff_dst) {
    return dnnl_api::conv_backward_weights(cpu_engine(), plan.in.desc, weight_gradients, bias,
                                           diff_dst, geometry, plan.forward);
  };
  const auto usual = with(plan.out.desc);
  if (!is_reference(usual.impl_info_str())) {
    return usual;
  }
  const auto channels_first =
      with(Desc(dnnl_api::dims_of(plan.out.desc), compute_type(plan.out), Tag::nchw));
  return is_reference(channels_first.impl_info_str()) ? usual : channels_first;
}

}  // namespace onnxop
