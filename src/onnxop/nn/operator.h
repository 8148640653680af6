#pragma once
// Operator: one step of the compiled graph, and what it works on. Private to this room.
//
// The graph is a chain: operator i reads value i and writes value i + 1. A piece of the batch has
// values, their gradients and workspaces of its own (PieceContext); operators and their weights are
// shared by all pieces and threads, and constant while pieces run.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <dnnl.hpp>

#include "onnxop/nn/layout.h"
#include "onnxop/nn/network.h"
#include "onnxop/tensor/tensor.h"

namespace onnxop {

using PrimitiveArguments = std::unordered_map<int, dnnl::memory>;

/// Memory and position of the piece that one thread is working on.
struct PieceContext {
  std::vector<Tensor> values;     // activations, by value
  std::vector<Tensor> gradients;  // of the loss with respect to them; the first has none
  std::vector<std::vector<Tensor>> workspaces;             // by operator
  std::vector<std::vector<PrimitiveArguments>> arguments;  // by operator
  dnnl::stream stream{cpu_engine()};

  // The piece at hand.
  const float* inputs = nullptr;   // of its first sample
  const float* targets = nullptr;  // likewise
  float* outputs = nullptr;        // likewise, inference only
  std::int64_t valid = 0;  // samples; the rest up to the piece's size are zeros without a gradient
  std::int64_t batch = 0;  // samples of the whole batch
  std::int64_t first_sample = 0;  // number of the piece's first sample in the batch
  std::int64_t piece = 0;         // number of the piece
  std::uint64_t step = 0;
  float* parameter_gradients = nullptr;  // the piece's own, in the operators' layouts
  double loss_sum = 0;
  std::int64_t correct = 0;

  /// Told of each primitive or kernel when profiling.
  std::function<void(const std::string& node, const char* op, const char* direction,
                     const std::string& implementation, double flops,
                     const std::function<void()>& run)>
      observe;
};

/// A weight's place: where it stands in the flat buffers, and where its gradient stands in a
/// piece's buffer (in elements).
struct ParameterSlot {
  std::int64_t offset = 0;
  std::int64_t size = 0;
  std::int64_t gradient_offset = 0;  // in the operators' own layouts, which may be larger
  std::int64_t gradient_size = 0;
};

class Operator {
  std::string node_, type_;

 public:
  Operator(std::string node, std::string type, const Layout& in, const Layout& out)
      : node_(std::move(node)), type_(std::move(type)), in_(in), out_(out) {}
  virtual ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  const std::string& node() const { return node_; }
  const std::string& type() const { return type_; }
  const Layout& in() const { return in_; }
  const Layout& out() const { return out_; }

  /// Makes this operator's workspaces and arguments in a new context; values and gradients are
  /// there.
  virtual void bind(PieceContext&, std::size_t) const {}

  virtual void forward(PieceContext& context, std::size_t index) const = 0;
  /// As forward, where inference differs from training.
  virtual void infer(PieceContext& context, std::size_t index) const { forward(context, index); }
  /// Reads the gradient of value index + 1, writes the weights' gradients and, if `data`, the
  /// gradient of value index.
  virtual void backward(PieceContext& context, std::size_t index, bool data) const = 0;

  /// Operators that must see the whole batch stop all pieces: forward() and backward() collect,
  /// then these run once, then the pieces go on with the `after_` calls. The pieces' contexts come
  /// in the pieces' order.
  virtual bool needs_whole_batch() const { return false; }
  virtual void combine_forward(std::span<PieceContext* const>, std::size_t) {}
  virtual void after_forward(PieceContext&, std::size_t) const {}
  virtual void combine_backward(std::span<PieceContext* const>, std::size_t) {}
  virtual void after_backward(PieceContext&, std::size_t, bool) const {}

  /// Takes the master weights in ONNX's layouts into the layouts that the primitives want. The
  /// states stay where they are and may be written to.
  virtual void load_parameters(std::span<const float>, std::span<float>, dnnl::stream&) {}
  /// From the operators' layouts to ONNX's.
  virtual void unload_gradients(std::span<const float>, std::span<float>, dnnl::stream&) const {}

  /// Multiply and add count as two.
  virtual double forward_flops() const { return 0; }  // of one sample
  virtual double weight_gradient_flops() const { return 0; }
  virtual double data_gradient_flops() const { return 0; }

  /// Whether the output went through ReLU inside this operator, so that whoever makes the gradient
  /// of the output may already have zeroed it where the output is 0 (relu_gradient_done).
  virtual bool fused_relu() const { return false; }
  bool relu_gradient_done = false;

 protected:
  template <typename Run>
  void timed(PieceContext& context, const char* direction, const std::string& implementation,
             double flops, Run&& run) const {
    if (context.observe) {
      context.observe(node_, type_.c_str(), direction, implementation,
                      flops * static_cast<double>(in_.samples), run);
    } else {
      run();
    }
  }

  Layout in_, out_;
};

/// What compilation hands out: places in the flat buffers.
class ParameterTable {
 public:
  /// A trainable initializer with its start values; `gradient_size` elements in a piece's gradient
  /// buffer.
  ParameterSlot add(const GraphInitializer& initializer, std::int64_t gradient_size);
  ParameterSlot add_state(const GraphInitializer& initializer);

  std::vector<ParameterInfo> parameters, states;
  std::vector<float> values, state_values;
  std::int64_t gradient_elements = 0;
};

}  // namespace onnxop
