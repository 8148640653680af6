#include "onnxop/nn/network.h"

#include <algorithm>
#include <chrono>

#include <omp.h>

#include "onnxop/base/error.h"
#include "onnxop/nn/compile.h"
#include "onnxop/nn/kernels.h"

namespace onnxop {
namespace {

/// oneDNN's primitives run on the calling thread alone while this lives.
class SingleThreaded {
 public:
  SingleThreaded() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~SingleThreaded() { omp_set_num_threads(before_); }
  SingleThreaded(const SingleThreaded&) = delete;
  SingleThreaded& operator=(const SingleThreaded&) = delete;

 private:
  int before_;
};

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

NetworkOptions checked(const NetworkOptions& options) {
  if (options.batch < 1 || options.piece < 0 || options.piece > options.batch) {
    fail(ErrorCode::kInvalidArgument,
         "a batch of {} in pieces of {}: expected 1 or more, and 0 to the batch", options.batch,
         options.piece);
  }
  std::string reason;
  if (!supports_precision(options.precision, &reason)) {
    fail(ErrorCode::kUnsupported, "{}", reason);
  }
  return options;
}

}  // namespace

struct Network::Impl {
  Impl(const Graph& source, const NetworkOptions& wanted, ThreadPool& threads)
      : graph(source.clone()), options(checked(wanted)), pool(threads) {
    const SingleThreaded guard;
    piece = options.piece > 0 ? options.piece : choose_piece(graph, options);
    compiled = compile_graph(graph, options, piece);
    pieces = (options.batch + piece - 1) / piece;
    for (const auto& op : compiled.operators) {
      stops |= op->needs_whole_batch();
    }
    const std::int64_t count =
        stops ? std::max<std::int64_t>(pieces, pool.threads()) : pool.threads();
    for (std::int64_t i = 0; i < count; ++i) {
      contexts.push_back(make_context());
    }
    gradients.resize(compiled.parameters.values.size());
    for (std::int64_t i = 0; i < pieces; ++i) {
      piece_gradients.emplace_back(
          DType::kFloat32, Shape{std::max<std::int64_t>(compiled.parameters.gradient_elements, 1)});
    }
  }

  std::unique_ptr<PieceContext> make_context() const {
    auto context = std::make_unique<PieceContext>();
    const auto buffer = [](const Layout& layout) {
      return Tensor(DType::kUint8, {static_cast<std::int64_t>(layout.bytes())});
    };
    context->values.push_back(buffer(compiled.input.layout));
    context->gradients.push_back(buffer(compiled.input.layout));
    for (const auto& op : compiled.operators) {
      context->values.push_back(buffer(op->out()));
      context->gradients.push_back(buffer(op->out()));
    }
    context->workspaces.resize(compiled.operators.size());
    context->arguments.resize(compiled.operators.size());
    for (std::size_t i = 0; i < compiled.operators.size(); ++i) {
      compiled.operators[i]->bind(*context, i);
    }
    return context;
  }

  void refresh_weights() {
    if (!changed) {
      return;
    }
    const SingleThreaded guard;
    dnnl::stream stream(cpu_engine());
    for (const auto& op : compiled.operators) {
      op->load_parameters(compiled.parameters.values, compiled.parameters.state_values, stream);
    }
    changed = false;
  }

  /// Points a context to the samples of piece number `number` of n samples.
  void aim(PieceContext& context, std::int64_t number, std::int64_t n) const {
    context.piece = number;
    context.first_sample = number * piece;
    context.valid = std::min(piece, n - context.first_sample);
    context.batch = n;
    context.loss_sum = 0;
    context.correct = 0;
  }

  void forward_range(PieceContext& context, std::size_t from, std::size_t to) const {
    for (std::size_t i = from; i < to; ++i) {
      compiled.operators[i]->forward(context, i);
    }
  }

  void backward_range(PieceContext& context, std::size_t from, std::size_t to) const {
    for (std::size_t i = from; i-- > to;) {
      compiled.operators[i]->backward(context, i, i > compiled.first_trainable);
    }
  }

  struct Samples {
    std::span<const float> inputs, targets;
    std::int64_t n;
    std::uint64_t step;
  };

  void start_piece(PieceContext& context, std::int64_t number, const Samples& samples) {
    aim(context, number, samples.n);
    context.inputs = samples.inputs.data() + context.first_sample * input_size();
    context.targets = samples.targets.data() + context.first_sample * compiled.loss.outputs();
    context.step = samples.step;
    context.parameter_gradients = piece_gradients[as_size(number)].values<float>().data();
    compiled.input.load(context);
  }

  /// Pieces run through the whole chain one by one.
  void run_through(std::int64_t used, const Samples& samples, std::vector<BatchResult>& results) {
    pool.run(static_cast<int>(used), [&](int number, int worker) {
      const SingleThreaded guard;
      PieceContext& context = *contexts[as_size(worker)];
      start_piece(context, number, samples);
      forward_range(context, 0, compiled.operators.size());
      compiled.loss.differentiate(context);
      backward_range(context, compiled.operators.size(), compiled.first_trainable);
      results[as_size(number)] = {context.loss_sum, context.correct};
    });
  }

  template <typename Work>
  void each_piece(std::int64_t used, Work work) {
    pool.run(static_cast<int>(used), [&](int number, int) {
      const SingleThreaded guard;
      work(*contexts[as_size(number)]);
    });
  }

  /// All pieces stop at each operator that needs the whole batch.
  void run_in_stages(std::int64_t used, const Samples& samples, std::vector<BatchResult>& results) {
    std::vector<PieceContext*> all;
    for (std::int64_t i = 0; i < used; ++i) {
      all.push_back(contexts[as_size(i)].get());
      start_piece(*all.back(), i, samples);
    }
    const auto& operators = compiled.operators;
    std::size_t next = 0;
    while (next < operators.size()) {
      const std::size_t from = next;
      while (next < operators.size() && !operators[next]->needs_whole_batch()) {
        ++next;
      }
      each_piece(used, [&](PieceContext& context) {
        forward_range(context, from, std::min(next + 1, operators.size()));
      });
      if (next < operators.size()) {
        operators[next]->combine_forward(all, next);
        each_piece(used,
                   [&](PieceContext& context) { operators[next]->after_forward(context, next); });
        ++next;
      }
    }
    each_piece(used, [&](PieceContext& context) { compiled.loss.differentiate(context); });
    next = operators.size();
    while (next > compiled.first_trainable) {
      const std::size_t from = next;
      while (next > compiled.first_trainable && !operators[next - 1]->needs_whole_batch()) {
        --next;
      }
      each_piece(used, [&](PieceContext& context) { backward_range(context, from, next); });
      if (next > compiled.first_trainable) {
        const std::size_t at = --next;
        each_piece(used, [&](PieceContext& context) {
          operators[at]->backward(context, at, at > compiled.first_trainable);
        });
        operators[at]->combine_backward(all, at);
        each_piece(used, [&](PieceContext& context) {
          operators[at]->after_backward(context, at, at > compiled.first_trainable);
        });
      }
    }
    for (std::int64_t i = 0; i < used; ++i) {
      results[as_size(i)] = {all[as_size(i)]->loss_sum, all[as_size(i)]->correct};
    }
  }

  /// The pieces' gradients in their order, then into ONNX's layouts.
  void sum_gradients(std::int64_t used) {
    constexpr std::int64_t kChunk = 16384;
    const std::int64_t size = compiled.parameters.gradient_elements;
    pool.run(static_cast<int>((size + kChunk - 1) / kChunk), [&](int chunk, int) {
      const std::int64_t from = chunk * kChunk;
      const std::int64_t n = std::min(kChunk, size - from);
      float* sum = piece_gradients[0].values<float>().data() + from;
      for (std::int64_t i = 1; i < used; ++i) {
        accumulate(piece_gradients[as_size(i)].values<float>().data() + from, sum, n);
      }
    });
    const SingleThreaded guard;
    dnnl::stream stream(cpu_engine());
    for (const auto& op : compiled.operators) {
      op->unload_gradients(piece_gradients[0].values<float>(), gradients, stream);
    }
  }

  void check_call(std::span<const float> inputs, std::span<const float> others, std::int64_t n,
                  std::string_view what) const {
    if (n < 1 || static_cast<std::int64_t>(inputs.size()) != n * input_size() ||
        static_cast<std::int64_t>(others.size()) != n * compiled.loss.outputs()) {
      fail(ErrorCode::kInvalidArgument,
           "{} samples with {} inputs and {} {}: expected {} and {} a sample", n, inputs.size(),
           others.size(), what, input_size(), compiled.loss.outputs());
    }
  }

  std::int64_t input_size() const {
    const Layout& layout = compiled.input.layout;
    return layout.channels * layout.height * layout.width;
  }

  Graph graph;
  NetworkOptions options;
  ThreadPool& pool;
  std::int64_t piece = 0;
  std::int64_t pieces = 0;
  CompiledGraph compiled;
  bool stops = false;
  bool changed = true;
  std::vector<std::unique_ptr<PieceContext>>
      contexts;  // by worker; by piece where operators stop all pieces
  std::vector<Tensor> piece_gradients;
  std::vector<float> gradients;
};

Network::Network(const Graph& graph, const NetworkOptions& options, ThreadPool& pool)
    : impl_(std::make_unique<Impl>(graph, options, pool)) {}

Network::~Network() = default;

const std::vector<ParameterInfo>& Network::parameter_layout() const {
  return impl_->compiled.parameters.parameters;
}
std::span<float> Network::parameters() {
  return impl_->compiled.parameters.values;
}
std::span<const float> Network::gradients() const {
  return impl_->gradients;
}
const std::vector<ParameterInfo>& Network::state_layout() const {
  return impl_->compiled.parameters.states;
}
std::span<float> Network::state() {
  return impl_->compiled.parameters.state_values;
}
void Network::parameters_changed() {
  impl_->changed = true;
}
std::int64_t Network::input_size() const {
  return impl_->input_size();
}
std::int64_t Network::output_size() const {
  return impl_->compiled.loss.outputs();
}
std::int64_t Network::piece() const {
  return impl_->piece;
}

BatchResult Network::train_batch(std::span<const float> inputs, std::span<const float> targets,
                                 std::int64_t n, std::uint64_t step) {
  impl_->check_call(inputs, targets, n, "targets");
  if (n > impl_->options.batch) {
    fail(ErrorCode::kInvalidArgument, "{} samples in one batch, expected at most {}", n,
         impl_->options.batch);
  }
  impl_->refresh_weights();
  const std::int64_t used = (n + impl_->piece - 1) / impl_->piece;
  std::vector<BatchResult> results(as_size(used));
  const Impl::Samples samples{inputs, targets, n, step};
  if (impl_->stops) {
    impl_->run_in_stages(used, samples, results);
  } else {
    impl_->run_through(used, samples, results);
  }
  impl_->sum_gradients(used);
  BatchResult total;
  for (const auto& result : results) {
    total.loss_sum += result.loss_sum;
    total.correct += result.correct;
  }
  return total;
}

void Network::predict(std::span<const float> inputs, std::int64_t n, std::span<float> outputs) {
  impl_->check_call(inputs, outputs, n, "outputs");
  impl_->refresh_weights();
  impl_->pool.run(
      static_cast<int>((n + impl_->piece - 1) / impl_->piece), [&](int number, int worker) {
        const SingleThreaded guard;
        PieceContext& context = *impl_->contexts[as_size(worker)];
        impl_->aim(context, number, n);
        context.inputs = inputs.data() + context.first_sample * impl_->input_size();
        context.outputs = outputs.data() + context.first_sample * impl_->compiled.loss.outputs();
        impl_->compiled.input.load(context);
        for (std::size_t i = 0; i < impl_->compiled.operators.size(); ++i) {
          impl_->compiled.operators[i]->infer(context, i);
        }
        impl_->compiled.loss.predict(context);
      });
}

double Network::forward_flops() const {
  double flops = 0;
  for (const auto& op : impl_->compiled.operators) {
    flops += op->forward_flops();
  }
  return flops;
}

double Network::train_flops() const {
  double flops = forward_flops();
  for (std::size_t i = 0; i < impl_->compiled.operators.size(); ++i) {
    flops += impl_->compiled.operators[i]->weight_gradient_flops();
    flops += i > impl_->compiled.first_trainable
                 ? impl_->compiled.operators[i]->data_gradient_flops()
                 : 0;
  }
  return flops;
}

std::vector<OperatorTime> Network::profile(std::span<const float> inputs,
                                           std::span<const float> targets, std::int64_t n) {
  std::vector<OperatorTime> times;
  const auto observe = [&times](const std::string& node, const char* op, const char* direction,
                                const std::string& implementation, double flops,
                                const std::function<void()>& run) {
    const auto start = std::chrono::steady_clock::now();
    run();
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    auto at = std::find_if(times.begin(), times.end(), [&](const OperatorTime& time) {
      return time.node == node && time.direction == direction;
    });
    if (at == times.end()) {
      at = times.insert(times.end(), {node, op, direction, implementation, 0, 0});
    }
    at->seconds += seconds;
    at->flops += flops;
  };
  ThreadPool alone(1);
  Network single(trained_graph(), impl_->options, alone);
  for (const auto& context : single.impl_->contexts) {
    context->observe = observe;
  }
  single.train_batch(inputs, targets, n, 0);
  return times;
}

Graph Network::trained_graph() const {
  Graph graph = impl_->graph.clone();
  const auto replace = [&graph](const std::vector<ParameterInfo>& infos,
                                const std::vector<float>& values) {
    for (const auto& info : infos) {
      for (auto& initializer : graph.initializers) {
        if (initializer.name == info.name) {
          const std::span<const float> from(values.data() + info.offset, as_size(info.size));
          initializer.tensor = Tensor::of<float>(info.shape, from);
        }
      }
    }
  };
  replace(impl_->compiled.parameters.parameters, impl_->compiled.parameters.values);
  replace(impl_->compiled.parameters.states, impl_->compiled.parameters.state_values);
  return graph;
}

}  // namespace onnxop
