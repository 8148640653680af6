#include "onnxop/load/infer_body.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/random.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;

struct ModelInput {
  std::string name;
  std::string datatype;
  std::vector<std::int64_t> shape;
};

[[noreturn]] void refuse_metadata(std::string_view why) {
  fail(ErrorCode::kInvalidArgument, "model metadata: {}: expected what GET /v2/models/NAME answers",
       why);
}

ModelInput parse_input(const Json& json) {
  const bool complete = json.is_object() && json.contains("name") && json["name"].is_string() &&
                        json.contains("datatype") && json["datatype"].is_string() &&
                        json.contains("shape") && json["shape"].is_array();
  if (!complete) {
    refuse_metadata("an input without name, datatype and shape");
  }
  ModelInput input{json["name"], json["datatype"], {}};
  for (const Json& size : json["shape"]) {
    if (!size.is_number_integer()) {
      refuse_metadata("a shape of something else than integers");
    }
    input.shape.push_back(size.get<std::int64_t>());
  }
  return input;
}

std::vector<ModelInput> parse_inputs(std::string_view metadata) {
  const Json json = parse_json(metadata, "model metadata");
  if (!json.is_object() || !json.contains("inputs") || !json["inputs"].is_array()) {
    refuse_metadata("no array inputs");
  }
  std::vector<ModelInput> inputs;
  for (const Json& each : json["inputs"]) {
    inputs.push_back(parse_input(each));
  }
  return inputs;
}

void settle_shape(ModelInput& input, const InputShapes& shapes) {
  if (const auto wish = shapes.find(input.name); wish != shapes.end()) {
    bool fits = wish->second.size() == input.shape.size();
    for (std::size_t i = 0; fits && i < input.shape.size(); ++i) {
      fits = wish->second[i] >= 0 && (input.shape[i] < 0 || input.shape[i] == wish->second[i]);
    }
    if (!fits) {
      fail(ErrorCode::kInvalidArgument, "shape [{}] for input '{}': expected one that fits [{}]",
           join(wish->second, ", "), input.name, join(input.shape, ", "));
    }
    input.shape = wish->second;
  }
  for (std::int64_t& size : input.shape) {
    size = size < 0 ? 1 : size;
  }
}

template <typename T>
void append(std::string& bytes, T value) {
  const std::size_t at = bytes.size();
  bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

/// Adds one random element.
using Element = void (*)(Random&, std::string&);

template <typename T>
void append_index(Random& random, std::string& bytes) {
  append(bytes, static_cast<T>(random.below(10)));
}

Element element_of(std::string_view datatype) {
  static const std::map<std::string_view, Element> elements{
      {"BOOL", [](Random& r, std::string& b) { append(b, static_cast<std::uint8_t>(r.below(2))); }},
      {"UINT8",
       [](Random& r, std::string& b) { append(b, static_cast<std::uint8_t>(r.below(256))); }},
      {"UINT16", append_index<std::uint16_t>},
      {"UINT32", append_index<std::uint32_t>},
      {"UINT64", append_index<std::uint64_t>},
      {"INT8", append_index<std::int8_t>},
      {"INT16", append_index<std::int16_t>},
      {"INT32", append_index<std::int32_t>},
      {"INT64", append_index<std::int64_t>},
      // From 0.5 on, by the bits of the fraction.
      {"FP16",
       [](Random& r, std::string& b) {
         append(b, static_cast<std::uint16_t>(0x3800 | r.below(1024)));
       }},
      {"BF16",
       [](Random& r, std::string& b) {
         append(b, static_cast<std::uint16_t>(0x3F00 | r.below(128)));
       }},
      {"FP32", [](Random& r, std::string& b) { append(b, r.uniform()); }},
      {"FP64", [](Random& r, std::string& b) { append(b, static_cast<double>(r.uniform())); }},
      {"BYTES", [](Random& r, std::string& b) {
         const std::string text = std::to_string(r.below(1000));
         append(b, static_cast<std::uint32_t>(text.size()));
         b += text;
       }}};
  const auto at = elements.find(datatype);
  return at == elements.end() ? nullptr : at->second;
}

std::string random_tensor(const ModelInput& input, Random& random) {
  const Element element = element_of(input.datatype);
  if (element == nullptr) {
    fail(ErrorCode::kUnsupported, "input '{}': datatype '{}' is none of the protocol's", input.name,
         input.datatype);
  }
  std::int64_t count = 1;
  for (const std::int64_t size : input.shape) {
    if (__builtin_mul_overflow(count, size, &count) || count > kMostBytes / 8) {
      fail(ErrorCode::kTooLarge, "input '{}' of shape [{}]: over {} elements", input.name,
           join(input.shape, ", "), kMostBytes / 8);
    }
  }
  std::string bytes;
  for (std::int64_t i = 0; i < count; ++i) {
    element(random, bytes);
  }
  return bytes;
}

}  // namespace

InferBody random_infer_body(std::string_view metadata, const InputShapes& shapes,
                            std::uint64_t seed) {
  std::vector<ModelInput> inputs = parse_inputs(metadata);
  for (const auto& [name, shape] : shapes) {
    if (std::ranges::find(inputs, name, &ModelInput::name) == inputs.end()) {
      fail(ErrorCode::kInvalidArgument, "a shape for input '{}', which the model does not have",
           name);
    }
  }
  Random random(seed, 0);
  Json list = Json::array();
  std::string tensors;
  for (ModelInput& input : inputs) {
    settle_shape(input, shapes);
    const std::string bytes = random_tensor(input, random);
    list.push_back({{"name", input.name},
                    {"shape", input.shape},
                    {"datatype", input.datatype},
                    {"parameters", {{"binary_data_size", bytes.size()}}}});
    tensors += bytes;
  }
  InferBody body;
  body.bytes = dump_json({{"inputs", list}, {"parameters", {{"binary_data_output", true}}}});
  body.header_size = body.bytes.size();
  body.bytes += tensors;
  return body;
}

}  // namespace onnxop
