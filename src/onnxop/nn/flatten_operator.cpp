#include "onnxop/nn/simple_operators.h"

namespace onnxop {
namespace {

/// Images to vectors in ONNX's order, for what follows and works by feature.
class FlattenOperator : public Operator {
 public:
  FlattenOperator(const GraphNode& node, const Layout& in)
      : Operator(node.name, node.op_type, in,
                 plain_vector(in.samples, in.channels * in.height * in.width, in.bfloat16)),
        plain_(plain_image(in.samples, in.channels, in.height, in.width, in.bfloat16)) {}

  void bind(PieceContext& context, std::size_t index) const override {
    const auto memory = [](const Layout& layout, const Tensor& tensor) {
      return dnnl::memory(layout.desc, cpu_engine(), const_cast<std::byte*>(tensor.bytes().data()));
    };
    context.arguments[index].push_back({{DNNL_ARG_FROM, memory(in_, context.values[index])},
                                        {DNNL_ARG_TO, memory(plain_, context.values[index + 1])}});
    context.arguments[index].push_back(
        {{DNNL_ARG_FROM, memory(plain_, context.gradients[index + 1])},
         {DNNL_ARG_TO, memory(in_, context.gradients[index])}});
  }

  void forward(PieceContext& context, std::size_t index) const override {
    timed(context, "forward", "reorder", 0, [&] { reorder(context, index, 0); });
  }

  void backward(PieceContext& context, std::size_t index, bool data) const override {
    if (data) {
      timed(context, "backward data", "reorder", 0, [&] { reorder(context, index, 1); });
    }
  }

 private:
  static void reorder(PieceContext& context, std::size_t index, std::size_t which) {
    auto& arguments = context.arguments[index][which];
    dnnl::reorder(arguments.at(DNNL_ARG_FROM), arguments.at(DNNL_ARG_TO))
        .execute(context.stream, arguments);
  }

  Layout plain_;
};

}  // namespace

std::unique_ptr<Operator> make_flatten(const GraphNode& node, const Layout& in) {
  return std::make_unique<FlattenOperator>(node, in);
}

}  // namespace onnxop
