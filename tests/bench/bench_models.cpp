#include "bench/bench_models.h"

#include <cmath>
#include <utility>

#include "onnxop/base/file.h"
#include "onnxop/base/random.h"
#include "onnxop/data/mnist.h"
#include "onnxop/image/codec.h"
#include "onnxop/load/infer_body.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/wire/oip_metadata.h"

namespace onnxop::bench {
namespace {

class ResidualNetwork {
 public:
  Model build() {
    Graph& graph = model_.graph;
    graph.name = "residual";
    graph.inputs.push_back(
        {"image", DType::kFloat32, {{-1, "N"}, {3, ""}, {112, ""}, {112, ""}}, ""});
    std::string x = relu(convolution("image", 3, 64, 7, 2));
    x = add("MaxPool", {x},
            {{"kernel_shape", List{3, 3}}, {"strides", List{2, 2}}, {"pads", List{1, 1, 1, 1}}});
    std::int64_t from = 64;
    for (const std::int64_t to : {64, 128, 256, 512}) {
      x = block(x, from, to);
      x = block(x, to, to);
      from = to;
    }
    x = add("GlobalAveragePool", {x}, {});
    x = add("Flatten", {x}, {{"axis", std::int64_t{1}}});
    add("Gemm", {x, weights({512, 1000}, 512), weights({1000}, 1e12)}, {});
    graph.nodes.back().outputs = {"scores"};
    graph.outputs.push_back({"scores", DType::kFloat32, {{-1, "N"}, {1000, ""}}, ""});
    return std::move(model_);
  }

 private:
  using List = std::vector<std::int64_t>;

  std::string block(const std::string& input, std::int64_t from, std::int64_t to) {
    const std::int64_t stride = from == to ? 1 : 2;
    const std::string inner = relu(convolution(input, from, to, 3, stride));
    const std::string sum = convolution(inner, to, to, 3, 1);
    const std::string straight = from == to ? input : convolution(input, from, to, 1, stride);
    return relu(add("Add", {sum, straight}, {}));
  }

  std::string convolution(const std::string& input, std::int64_t from, std::int64_t to,
                          std::int64_t kernel, std::int64_t stride) {
    const std::int64_t pad = kernel / 2;
    return add(
        "Conv",
        {input, weights({to, from, kernel, kernel}, static_cast<double>(from * kernel * kernel)),
         weights({to}, 1e12)},
        {{"kernel_shape", List{kernel, kernel}},
         {"strides", List{stride, stride}},
         {"pads", List{pad, pad, pad, pad}}});
  }

  std::string relu(const std::string& input) { return add("Relu", {input}, {}); }

  std::string add(const std::string& op_type, std::vector<std::string> inputs,
                  std::map<std::string, AttributeValue> attributes) {
    const std::string name = format("v{}", model_.graph.nodes.size());
    model_.graph.nodes.push_back(
        {op_type, "n" + name, std::move(inputs), {name}, std::move(attributes), ""});
    return name;
  }

  /// Uniform, of the deviation that keeps activations of `fan_in` summands in size.
  std::string weights(Shape shape, double fan_in) {
    const auto index = model_.graph.initializers.size();
    const std::string name = format("w{}", index);
    Tensor tensor(DType::kFloat32, std::move(shape));
    const auto bound = static_cast<float>(std::sqrt(3.0 / fan_in));
    Random random(1, index);
    for (float& each : tensor.values<float>()) {
      each = random.uniform(-bound, bound);
    }
    model_.graph.initializers.push_back({name, std::move(tensor), ""});
    return name;
  }

  Model model_;
};

}  // namespace

std::string digit_png() {
  const Dataset test = load_mnist(default_data_dir() / "mnist", "test");
  const auto pixels = test.samples.values<std::uint8_t>().first(28 * 28);
  const auto png = encode_png({28, 28, 1, {pixels.begin(), pixels.end()}});
  return {reinterpret_cast<const char*>(png.data()), png.size()};
}

void write_residual_network(const std::filesystem::path& file) {
  write_file_atomically(file, serialize_model(ResidualNetwork().build()));
}

HttpTarget binary_target(const Scorer& scorer, const std::string& model, std::uint16_t port) {
  OipModel described;
  described.name = model;
  described.inputs = scorer.inputs();
  InferBody body = random_infer_body(model_metadata_json(described), {}, 1);
  return {.port = port,
          .path = "/v2/models/" + model + "/infer",
          .headers = {{"Content-Type", "application/octet-stream"},
                      {"Inference-Header-Content-Length", std::to_string(body.header_size)}},
          .bodies = {std::move(body.bytes)}};
}

HttpTarget png_target(std::uint16_t port) {
  return {.port = port,
          .path = "/api/classify_digit",
          .headers = {{"Content-Type", "image/png"}},
          .bodies = {digit_png()}};
}

}  // namespace onnxop::bench
