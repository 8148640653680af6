#include "onnxop/wire/oip_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <type_traits>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/json_writer.h"
#include "onnxop/base/utf8.h"
#include "onnxop/wire/classification.h"
#include "onnxop/wire/oip_datatype.h"
#include "onnxop/wire/raw_tensor.h"

namespace onnxop {
namespace {

/// With quotes. Throws for bytes that are no UTF-8.
std::string quoted(std::string_view text, std::string_view what) {
  if (!is_utf8(text)) {
    fail(ErrorCode::kInvalidArgument,
         "{} holds bytes that are no UTF-8, which JSON cannot say: ask for binary_data", what);
  }
  JsonWriter json;
  json.text(text);
  return json.take();
}

constexpr std::size_t kLongestNumber = 32;

/// Writes a number as short as reads back the same; returns its end.
template <typename T>
char* write_number(char* to, T value) {
  if constexpr (std::is_same_v<T, bool>) {
    const std::string_view text = value ? "true" : "false";
    return std::copy(text.begin(), text.end(), to);
  } else {
    if constexpr (std::is_floating_point_v<T>) {
      if (value == 0 && std::signbit(value)) {
        constexpr std::string_view kNegative = "-0.0";  // "-0" is a whole number, without a sign
        return std::copy(kNegative.begin(), kNegative.end(), to);
      }
    }
    return std::to_chars(to, to + kLongestNumber, value).ptr;
  }
}

template <typename T>
void append_all(std::string& json, const NamedTensor& output) {
  const auto values = output.tensor.values<T>();
  std::array<char, 2048> buffer;  // many short appends cost as much as the numbers themselves
  char* to = buffer.data();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(values[i])) {
        fail(ErrorCode::kInvalidArgument,
             "output '{}' holds {} at element {}, which JSON cannot say: ask for binary_data",
             output.name, values[i], i);
      }
    }
    if (static_cast<std::size_t>(buffer.data() + buffer.size() - to) < kLongestNumber + 1) {
      json.append(buffer.data(), to);
      to = buffer.data();
    }
    if (i > 0) {
      *to++ = ',';
    }
    to = write_number(to, values[i]);
  }
  json.append(buffer.data(), to);
}

void append_texts(std::string& json, const NamedTensor& output) {
  for (bool first = true; const std::string& text : output.tensor.strings()) {
    json += first ? "" : ",";
    json += quoted(text, format("output '{}'", output.name));
    first = false;
  }
}

void append_data(std::string& json, const NamedTensor& output) {
  switch (output.tensor.dtype()) {
    case DType::kBool:
      return append_all<bool>(json, output);
    case DType::kUint8:
      return append_all<std::uint8_t>(json, output);
    case DType::kUint16:
      return append_all<std::uint16_t>(json, output);
    case DType::kUint32:
      return append_all<std::uint32_t>(json, output);
    case DType::kUint64:
      return append_all<std::uint64_t>(json, output);
    case DType::kInt8:
      return append_all<std::int8_t>(json, output);
    case DType::kInt16:
      return append_all<std::int16_t>(json, output);
    case DType::kInt32:
      return append_all<std::int32_t>(json, output);
    case DType::kInt64:
      return append_all<std::int64_t>(json, output);
    case DType::kFloat32:
      return append_all<float>(json, output);
    case DType::kFloat64:
      return append_all<double>(json, output);
    case DType::kString:
      return append_texts(json, output);
    default:
      fail(ErrorCode::kInvalidArgument,
           "output '{}' is {}, which cannot be given as JSON: ask for binary_data", output.name,
           dtype_name(output.tensor.dtype()));
  }
}

const WantedOutput* find_wanted(const InferRequest& request, std::string_view name) {
  for (const WantedOutput& wanted : request.outputs) {
    if (wanted.name == name) {
      return &wanted;
    }
  }
  return nullptr;
}

/// What the tail looks into.
struct TailOwner {
  std::vector<NamedTensor> outputs;
  std::vector<std::vector<std::byte>> texts;
};

}  // namespace

std::vector<NamedTensor> choose_outputs(const InferRequest& request,
                                        std::vector<NamedTensor> outputs,
                                        const OutputLabels& labels) {
  const auto take = [&](NamedTensor& output, std::int64_t classes) -> NamedTensor {
    if (classes == 0) {
      return std::move(output);
    }
    const auto found = labels.find(output.name);
    return {output.name, classify_rows(output.tensor, classes,
                                       found == labels.end() ? std::span<const std::string>()
                                                             : std::span(found->second))};
  };
  std::vector<NamedTensor> chosen;
  if (request.outputs.empty()) {
    for (NamedTensor& output : outputs) {
      chosen.push_back(take(output, request.classification));
    }
    return chosen;
  }
  for (const WantedOutput& wanted : request.outputs) {
    const auto found = std::find_if(outputs.begin(), outputs.end(), [&](const NamedTensor& each) {
      return each.name == wanted.name;
    });
    if (found == outputs.end()) {
      std::vector<std::string_view> names;
      for (const NamedTensor& each : outputs) {
        names.push_back(each.name);
      }
      fail(ErrorCode::kInvalidArgument, "output '{}' is none of the model's: {}", wanted.name,
           join(names, ", "));
    }
    chosen.push_back(take(*found, wanted.classification));
  }
  return chosen;
}

InferAnswerBytes write_infer_answer(const InferRequest& request, InferAnswer answer) {
  InferAnswerBytes bytes;
  const auto owner = std::make_shared<TailOwner>();
  owner->outputs = std::move(answer.outputs);
  std::string& json = bytes.json;
  json = format(R"({{"model_name":{},"model_version":{})", quoted(answer.model_name, "the name"),
                quoted(answer.model_version, "the version"));
  if (!answer.id.empty()) {
    json += format(R"(,"id":{})", quoted(answer.id, "the id"));
  }
  json += R"(,"outputs":[)";
  for (std::size_t i = 0; i < owner->outputs.size(); ++i) {
    const NamedTensor& output = owner->outputs[i];
    const WantedOutput* wanted = find_wanted(request, output.name);
    const bool binary =
        wanted != nullptr && wanted->binary ? *wanted->binary : request.binary_outputs;
    json += format(R"({}{{"name":{},"datatype":"{}","shape":[{}])", i == 0 ? "" : ",",
                   quoted(output.name, "the output's name"),
                   sendable_datatype(output.name, output.tensor.dtype()),
                   join(output.tensor.shape(), ","));
    if (binary) {
      std::span<const std::byte> raw = output.tensor.bytes();
      if (output.tensor.dtype() == DType::kString) {
        raw = owner->texts.emplace_back(raw_strings(output.tensor));
      }
      json += format(R"(,"parameters":{{"binary_data_size":{}}}}})", raw.size());
      bytes.tail.push_back(raw);
      bytes.binary = true;
    } else {
      json += R"(,"data":[)";
      append_data(json, output);
      json += "]}";
    }
  }
  json += "]}";
  bytes.owner = owner;
  return bytes;
}

}  // namespace onnxop
