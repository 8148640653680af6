#include <algorithm>
#include <vector>

#include "onnxop/nn/kernels.h"
#include "onnxop/nn/node_error.h"
#include "onnxop/nn/simple_operators.h"

namespace onnxop {
namespace {

using Ints = std::vector<std::int64_t>;

struct PoolShape {
  PoolGeometry geometry;
  Layout out;
};

Layout resized(const Layout& in, std::int64_t height, std::int64_t width, const std::string& node) {
  Layout out = in;
  out.height = height;
  out.width = width;
  using Tag = dnnl::memory::format_tag;
  const Tag tag = in.block == 16   ? Tag::nChw16c
                  : in.block == 8  ? Tag::nChw8c
                  : in.blocks == 1 ? Tag::nhwc
                                   : Tag::nchw;
  const auto type = in.bfloat16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
  return recognise({{in.samples, in.padded, height, width}, type, in.block == 1 ? Tag::nchw : tag},
                   out, node);
}

PoolShape pool_shape(const GraphNode& node, const Layout& in) {
  if (!in.image) {
    refuse(node, "its input has two dimensions, expected four");
  }
  PoolShape shape;
  PoolGeometry& g = shape.geometry;
  if (node.op_type == "GlobalAveragePool") {
    g.kernel_height = g.stride_height = in.height;
    g.kernel_width = g.stride_width = in.width;
    shape.out = resized(in, 1, 1, node.name);
    return shape;
  }
  const Ints kernel = node.attribute("kernel_shape", Ints{});
  const Ints strides = node.attribute("strides", Ints{1, 1});
  const Ints pads = node.attribute("pads", Ints{0, 0, 0, 0});
  const auto least = [](const Ints& values) {
    return *std::min_element(values.begin(), values.end());
  };
  if (kernel.size() != 2 || least(kernel) < 1) {
    refuse(node, "kernel_shape is missing or not two numbers over 0");
  }
  if (strides.size() != 2 || least(strides) < 1 || pads.size() != 4 || least(pads) < 0) {
    refuse(node, "strides are not two numbers over 0, or pads not four of 0 or more");
  }
  // A window that sees only padding has no largest pixel.
  if (std::max(pads[0], pads[2]) >= kernel[0] || std::max(pads[1], pads[3]) >= kernel[1]) {
    refuse(node, "its padding is as large as its window");
  }
  if (node.attribute<std::string>("auto_pad", "NOTSET") != "NOTSET" ||
      node.attribute<std::int64_t>("ceil_mode", 0) != 0 ||
      node.attribute("dilations", Ints{1, 1}) != Ints{1, 1}) {
    refuse(node, "auto_pad, ceil_mode and dilations are not covered");
  }
  if (kernel[0] * kernel[1] > 256) {
    refuse(node,
           format("windows of {} pixels are not covered, at most 256", kernel[0] * kernel[1]));
  }
  g = {.kernel_height = kernel[0],
       .kernel_width = kernel[1],
       .stride_height = strides[0],
       .stride_width = strides[1],
       .pad_top = pads[0],
       .pad_left = pads[1],
       .count_padding = node.attribute<std::int64_t>("count_include_pad", 0) != 0};
  const std::int64_t spare_height = in.height + pads[0] + pads[2] - kernel[0];
  const std::int64_t spare_width = in.width + pads[1] + pads[3] - kernel[1];
  if (spare_height < 0 || spare_width < 0) {
    refuse(node, "its window is larger than its input");
  }
  shape.out = resized(in, spare_height / strides[0] + 1, spare_width / strides[1] + 1, node.name);
  return shape;
}

class PoolOperator : public Operator {
 public:
  PoolOperator(const GraphNode& node, const Layout& in, const PoolShape& shape, bool relu)
      : Operator(node.name, node.op_type, in, shape.out),
        geometry_(shape.geometry),
        max_(node.op_type == "MaxPool"),
        relu_(relu) {}

  void bind(PieceContext& context, std::size_t index) const override {
    if (max_) {
      context.workspaces[index].emplace_back(DType::kUint8,
                                             Shape{out_.samples * out_.sample_size()});
    }
  }

  void forward(PieceContext& context, std::size_t index) const override {
    timed(context, "forward", "own", 0, [&] {
      in_.bfloat16 ? forward_as<Bfloat16>(context, index) : forward_as<float>(context, index);
    });
  }

  void backward(PieceContext& context, std::size_t index, bool data) const override {
    if (data) {
      timed(context, "backward data", "own", 0, [&] {
        in_.bfloat16 ? backward_as<Bfloat16>(context, index) : backward_as<float>(context, index);
      });
    }
  }

 private:
  template <typename T>
  static T* sample(std::vector<Tensor>& tensors, std::size_t index, const Layout& layout,
                   std::int64_t number) {
    return reinterpret_cast<T*>(tensors[index].bytes().data()) + number * layout.sample_size();
  }

  template <typename T>
  void forward_as(PieceContext& context, std::size_t index) const {
    for (std::int64_t i = 0; i < in_.samples; ++i) {
      const T* in = sample<T>(context.values, index, in_, i);
      T* out = sample<T>(context.values, index + 1, out_, i);
      if (max_) {
        max_pool(in, in_, geometry_, out_, out, winners(context, index, i));
      } else {
        average_pool(in, in_, geometry_, out_, out);
      }
    }
  }

  template <typename T>
  void backward_as(PieceContext& context, std::size_t index) const {
    for (std::int64_t i = 0; i < in_.samples; ++i) {
      const T* out_gradient = sample<T>(context.gradients, index + 1, out_, i);
      T* in_gradient = sample<T>(context.gradients, index, in_, i);
      if (max_) {
        const T* out = sample<T>(context.values, index + 1, out_, i);
        max_pool_backward(out_gradient, out, winners(context, index, i), in_, geometry_, out_,
                          relu_, in_gradient);
      } else {
        average_pool_backward(out_gradient, in_, geometry_, out_, in_gradient);
      }
    }
  }

  std::uint8_t* winners(PieceContext& context, std::size_t index, std::int64_t number) const {
    return context.workspaces[index][0].values<std::uint8_t>().data() + number * out_.sample_size();
  }

  PoolGeometry geometry_;
  bool max_, relu_;
};

}  // namespace

std::unique_ptr<Operator> make_pool(const GraphNode& node, const Layout& in, bool after_relu) {
  return std::make_unique<PoolOperator>(node, in, pool_shape(node, in), after_relu);
}

}  // namespace onnxop
