#include "onnxop/serving/golden.h"

#include <algorithm>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json.h"
#include "onnxop/base/json_value.h"
#include "onnxop/score/compare.h"

namespace onnxop {
namespace {

constexpr std::uint64_t kMostBytes = 64U << 20;

template <typename T>
Json values_json(const Tensor& tensor) {
  return Json(std::vector<T>(tensor.values<T>().begin(), tensor.values<T>().end()));
}

Json tensor_json(const Tensor& tensor) {
  Json json{{"dtype", dtype_name(tensor.dtype())}, {"shape", tensor.shape()}};
  switch (tensor.dtype()) {
    case DType::kFloat32:
      json["data"] = values_json<float>(tensor);
      return json;
    case DType::kUint8:
      json["data"] = values_json<std::uint8_t>(tensor);
      return json;
    case DType::kInt64:
      json["data"] = values_json<std::int64_t>(tensor);
      return json;
    default:
      fail(ErrorCode::kUnsupported,
           "golden samples: got a tensor of {}, expected float32, uint8 or int64",
           dtype_name(tensor.dtype()));
  }
}

template <typename T>
Tensor tensor_of(const Json& json, Shape shape) {
  const auto values = json.at("data").get<std::vector<T>>();
  return Tensor::of<T>(std::move(shape), values);
}

Tensor tensor_of(const Json& json) {
  auto shape = json.at("shape").get<Shape>();
  const auto dtype = json.at("dtype").get<std::string>();
  for (const auto& [type, make] : {std::pair{DType::kFloat32, &tensor_of<float>},
                                   std::pair{DType::kUint8, &tensor_of<std::uint8_t>},
                                   std::pair{DType::kInt64, &tensor_of<std::int64_t>}}) {
    if (dtype == dtype_name(type)) {
      return make(json, std::move(shape));
    }
  }
  fail(ErrorCode::kInvalidArgument, "got dtype '{}', expected float32, uint8 or int64", dtype);
}

Json tensors_json(std::span<const NamedTensor> tensors) {
  Json json = Json::object();
  for (const NamedTensor& each : tensors) {
    json[each.name] = tensor_json(each.tensor);
  }
  return json;
}

std::vector<NamedTensor> tensors_of(const Json& json) {
  std::vector<NamedTensor> tensors;
  for (const auto& [name, tensor] : json.items()) {
    tensors.push_back({name, tensor_of(tensor)});
  }
  return tensors;
}

}  // namespace

GoldenSamples make_golden(Scorer& scorer, std::vector<std::vector<NamedTensor>> inputs) {
  GoldenSamples golden;
  for (auto& each : inputs) {
    auto outputs = scorer.run(each);
    golden.samples.push_back({std::move(each), std::move(outputs)});
  }
  return golden;
}

void write_golden(const std::filesystem::path& path, const GoldenSamples& golden) {
  Json json{{"version", 1}, {"tolerance", golden.tolerance}, {"samples", Json::array()}};
  for (const GoldenSample& sample : golden.samples) {
    json["samples"].push_back(
        {{"inputs", tensors_json(sample.inputs)}, {"outputs", tensors_json(sample.outputs)}});
  }
  write_file_atomically(path, as_bytes(dump_json(json)));
}

GoldenSamples read_golden(const std::filesystem::path& path) {
  const Json json = parse_json(read_text_file(path, kMostBytes), path.string());
  GoldenSamples golden;
  try {
    if (json.at("version") != 1) {
      fail(ErrorCode::kInvalidArgument, "got version {}, expected 1", dump_json(json["version"]));
    }
    golden.tolerance = json.at("tolerance").get<double>();
    for (const Json& sample : json.at("samples")) {
      golden.samples.push_back({tensors_of(sample.at("inputs")), tensors_of(sample.at("outputs"))});
    }
  } catch (const Json::exception& e) {
    fail(ErrorCode::kInvalidArgument, "{}: these are no golden samples: {}", path.string(),
         e.what());
  } catch (const Error& e) {
    fail(ErrorCode::kInvalidArgument, "{}: these are no golden samples: {}", path.string(),
         e.what());
  }
  return golden;
}

void check_golden(Scorer& scorer, const GoldenSamples& golden) {
  for (std::size_t i = 0; i < golden.samples.size(); ++i) {
    const GoldenSample& sample = golden.samples[i];
    std::vector<NamedTensor> outputs = scorer.run(sample.inputs);
    std::erase_if(outputs, [&](const NamedTensor& output) {
      return std::none_of(sample.outputs.begin(), sample.outputs.end(),
                          [&](const NamedTensor& each) { return each.name == output.name; });
    });
    // In the file they are sorted as they were made, which is the model's order.
    const OutputDifference difference = compare_outputs(outputs, sample.outputs);
    if (!(difference.largest <= golden.tolerance)) {
      fail(ErrorCode::kFailedPrecondition,
           "golden sample {}: the answer differs from the stored one by {}, more than {}: {}", i,
           difference.largest, golden.tolerance, difference.where);
    }
  }
}

}  // namespace onnxop
