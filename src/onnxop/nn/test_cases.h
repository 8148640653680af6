#pragma once
// A small odd-shaped graph for every operator, which the gradient and the forward tests share.

#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "onnxop/nn/network.h"
#include "onnxop/nn/test_graphs.h"

namespace onnxop::nn_test {

struct Case {
  std::string name;
  std::function<Graph()> graph;
  LossKind loss = LossKind::kMeanSquaredError;

  /// Piecewise linear operators want short steps, or too many cross a kink; the others want long
  /// ones, which a float32 loss resolves better.
  bool kinked() const {
    return name.find("relu") != std::string::npos || name.find("max_pool") != std::string::npos;
  }
};

inline void PrintTo(const Case& test_case, std::ostream* out) {
  *out << test_case.name;
}

using Ints = std::vector<std::int64_t>;

inline Graph dense_end(ChainBuilder& builder, std::int64_t features) {
  return builder.node("Flatten").gemm(features, 3).done({3});
}

inline ChainBuilder small_conv() {
  return std::move(ChainBuilder({3, 7, 6}).conv(3, 5, {3, 2}, {1, 1}, {1, 0, 1, 1}));
}

inline std::vector<Case> cases() {
  const auto pool = [](const std::string& op, const Ints& kernel, const Ints& strides,
                       const Ints& pads, std::int64_t features, std::int64_t count_padding) {
    return [=] {
      std::map<std::string, AttributeValue> attributes{
          {"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}};
      if (op == "AveragePool") {
        attributes["count_include_pad"] = count_padding;
      }
      return dense_end(small_conv().node(op, {}, attributes).conv(5, 4, {1, 1}), features * 4 / 5);
    };
  };
  const auto activation = [](const std::string& op) {
    return [=] { return dense_end(small_conv().node(op).conv(5, 4, {1, 1}), 4 * 42); };
  };
  return {
      {"gemm", [] { return ChainBuilder({6}).gemm(6, 4).gemm(4, 3).done({3}); }},
      {"gemm_softmax",
       [] {
         return ChainBuilder({6}).gemm(6, 4).node("Tanh").gemm(4, 3).node("Softmax").done({3});
       },
       LossKind::kCategoricalCrossentropy},
      {"matmul_add",
       [] {
         ChainBuilder b({6});
         const auto w = b.weight({6, 3}, -0.5F, 0.5F);
         const auto bias = b.weight({3}, -0.5F, 0.5F);
         return b.node("MatMul", {w}).node("Add", {bias}).node("Relu").gemm(3, 3).done({3});
       }},
      {"conv",
       [] {
         return dense_end(small_conv().conv(5, 4, {3, 3}), 4 * 5 * 4);
       }},
      {"conv_strides",
       [] {
         return dense_end(
             ChainBuilder({2, 9, 8}).conv(2, 3, {3, 3}, {2, 3}, {1, 1, 1, 1}).conv(3, 4, {2, 2}),
             4 * 4 * 2);
       }},
      {"conv_one_channel_relu",
       [] {
         return dense_end(
             ChainBuilder({1, 8, 8}).conv(1, 16, {3, 3}).node("Relu").conv(16, 32, {3, 3}),
             32 * 4 * 4);
       }},
      {"conv_relu_pool",
       [] {
         return dense_end(
             ChainBuilder({2, 8, 8})
                 .conv(2, 16, {3, 3})
                 .node("Relu")
                 .node("MaxPool", {}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}})
                 .conv(16, 4, {2, 2}),
             4 * 2 * 2);
       }},
      {"relu_alone",
       [] {
         return dense_end(
             small_conv()
                 .node("MaxPool", {}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}})
                 .node("Relu")
                 .conv(5, 4, {1, 1}),
             4 * 9);
       }},
      {"leaky_relu", activation("LeakyRelu")},
      {"elu", activation("Elu")},
      {"sigmoid", activation("Sigmoid")},
      {"tanh", activation("Tanh")},
      {"softplus", activation("Softplus")},
      {"max_pool_overlapping", pool("MaxPool", {3, 3}, {2, 1}, {1, 1, 1, 1}, 5 * 4 * 6, 0)},
      {"average_pool", pool("AveragePool", {2, 3}, {2, 2}, {0, 1, 0, 1}, 5 * 3 * 3, 0)},
      {"average_pool_counting_padding",
       pool("AveragePool", {2, 3}, {2, 2}, {0, 1, 0, 1}, 5 * 3 * 3, 1)},
      {"global_average_pool",
       [] {
         return dense_end(small_conv().node("GlobalAveragePool").conv(5, 4, {1, 1}), 4);
       }},
      {"batch_norm_images",
       [] {
         return dense_end(small_conv().batch_norm(5).conv(5, 4, {1, 1}), 4 * 42);
       }},
      {"batch_norm_features",
       [] { return dense_end(small_conv().node("Flatten").batch_norm(210), 210); }},
      {"scaled_channels_last",
       [] {
         ChainBuilder b({5, 6, 3});
         const auto scale = b.constant({3}, {0.5F, 2.0F, -1.0F});
         const auto mean = b.constant({}, {0.1F});
         b.node("Sub", {mean})
             .node("Mul", {scale})
             .node("Transpose", {}, {{"perm", Ints{0, 3, 1, 2}}});
         return dense_end(b.conv(3, 4, {3, 3}), 4 * 3 * 4);
       }},
  };
}

}  // namespace onnxop::nn_test
