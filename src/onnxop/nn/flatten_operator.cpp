#include "onnxop/nn/kernels.h"
#include "onnxop/nn/simple_operators.h"

namespace onnxop {
namespace {

/// Images to vectors in ONNX's order, for what follows and works by feature.
class FlattenOperator : public Operator {
 public:
  FlattenOperator(const GraphNode& node, const Layout& in)
      : Operator(node.name, node.op_type, in,
                 plain_vector(in.samples, in.channels * in.height * in.width, in.bfloat16)) {}

  void forward(PieceContext& context, std::size_t index) const override {
    timed(context, "forward", "own", 0, [&] {
      for_each_pair(context.values[index], context.values[index + 1],
                    [](const auto& image, auto& vector) { vector = image; });
    });
  }

  void backward(PieceContext& context, std::size_t index, bool data) const override {
    if (data) {
      timed(context, "backward data", "own", 0, [&] {
        for_each_pair(context.gradients[index], context.gradients[index + 1],
                      [](auto& image, const auto& vector) { image = vector; });
      });
    }
  }

 private:
  template <typename Visit>
  void for_each_pair(Tensor& image, Tensor& vector, Visit visit) const {
    in_.bfloat16 ? pairs_of<Bfloat16>(image, vector, visit) : pairs_of<float>(image, vector, visit);
  }

  /// visit(element of the image, element of the vector)
  template <typename T, typename Visit>
  void pairs_of(Tensor& image, Tensor& vector, Visit visit) const {
    T* images = reinterpret_cast<T*>(image.bytes().data());
    T* vectors = reinterpret_cast<T*>(vector.bytes().data());
    const std::int64_t pixels = in_.height * in_.width;
    for (std::int64_t sample = 0; sample < in_.samples; ++sample) {
      T* from = images + sample * in_.sample_size();
      T* to = vectors + sample * out_.sample_size();
      for (std::int64_t c = 0; c < in_.channels; ++c) {
        T* channel = from + c / in_.block * pixels * in_.block + c % in_.block;
        for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
          visit(channel[pixel * in_.block], to[c * pixels + pixel]);
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<Operator> make_flatten(const GraphNode& node, const Layout& in) {
  return std::make_unique<FlattenOperator>(node, in);
}

}  // namespace onnxop
