// Requests for inferences: their bytes to messages, and these to values.

#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <open_inference.pb.h>

#include "onnxop/base/error.h"
#include "onnxop/wire/oip_datatype.h"
#include "onnxop/wire/oip_grpc.h"
#include "onnxop/wire/raw_tensor.h"

namespace onnxop {
namespace {

using inference::InferParameter;
using inference::InferTensorContents;
using Parameters = google::protobuf::Map<std::string, InferParameter>;

const InferParameter* find(const Parameters& parameters, const std::string& key) {
  const auto found = parameters.find(key);
  return found == parameters.end() ? nullptr : &found->second;
}

std::int64_t as_integer(const InferParameter& parameter, std::string_view key) {
  switch (parameter.parameter_choice_case()) {
    case InferParameter::kInt64Param:
      return parameter.int64_param();
    case InferParameter::kUint64Param:
      if (parameter.uint64_param() <= std::numeric_limits<std::int64_t>::max()) {
        return static_cast<std::int64_t>(parameter.uint64_param());
      }
      [[fallthrough]];
    default:
      fail(ErrorCode::kInvalidArgument, "parameter {}: expected a whole number of 64 bits", key);
  }
}

/// Clients that ask for it would look for the answer where it is not.
void refuse_shared_memory(const Parameters& parameters, std::string_view kind,
                          const std::string& name) {
  if (find(parameters, "shared_memory_region") != nullptr) {
    fail(ErrorCode::kUnsupported,
         "{} '{}': shared memory is not offered: send and take the data itself", kind, name);
  }
}

std::int64_t class_count(const Parameters& parameters) {
  const InferParameter* count = find(parameters, "classification");
  const std::int64_t classes = count == nullptr ? 0 : as_integer(*count, "classification");
  if (classes < 0) {
    fail(ErrorCode::kInvalidArgument, "parameter classification: got {}, expected 1 or more",
         classes);
  }
  return classes;
}

/// Elements as the message lists them; `T` is the tensor's type, checked to hold each.
template <typename T, typename List>
Tensor listed_tensor(DType dtype, Shape shape, const List& list, std::string_view what) {
  const auto expected = element_count(shape);
  if (list.size() != expected) {
    fail(ErrorCode::kInvalidArgument,
         "{}: got {} elements in the list of its datatype, expected {}", what, list.size(),
         expected);
  }
  Tensor tensor(dtype, std::move(shape));
  const auto values = tensor.values<T>();
  for (int i = 0; i < list.size(); ++i) {
    const auto value = list[i];
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      if (!std::in_range<T>(value)) {
        fail(ErrorCode::kInvalidArgument, "{}: element {} is {}, which is no {}", what, i, value,
             oip_datatype(dtype));
      }
    }
    values[static_cast<std::size_t>(i)] = static_cast<T>(value);
  }
  return tensor;
}

Tensor listed_tensor(DType dtype, Shape shape, const InferTensorContents& contents,
                     std::string_view what) {
  switch (dtype) {
    case DType::kBool:
      return listed_tensor<bool>(dtype, std::move(shape), contents.bool_contents(), what);
    case DType::kInt8:
      return listed_tensor<std::int8_t>(dtype, std::move(shape), contents.int_contents(), what);
    case DType::kInt16:
      return listed_tensor<std::int16_t>(dtype, std::move(shape), contents.int_contents(), what);
    case DType::kInt32:
      return listed_tensor<std::int32_t>(dtype, std::move(shape), contents.int_contents(), what);
    case DType::kInt64:
      return listed_tensor<std::int64_t>(dtype, std::move(shape), contents.int64_contents(), what);
    case DType::kUint8:
      return listed_tensor<std::uint8_t>(dtype, std::move(shape), contents.uint_contents(), what);
    case DType::kUint16:
      return listed_tensor<std::uint16_t>(dtype, std::move(shape), contents.uint_contents(), what);
    case DType::kUint32:
      return listed_tensor<std::uint32_t>(dtype, std::move(shape), contents.uint_contents(), what);
    case DType::kUint64:
      return listed_tensor<std::uint64_t>(dtype, std::move(shape), contents.uint64_contents(),
                                          what);
    case DType::kFloat32:
      return listed_tensor<float>(dtype, std::move(shape), contents.fp32_contents(), what);
    case DType::kFloat64:
      return listed_tensor<double>(dtype, std::move(shape), contents.fp64_contents(), what);
    case DType::kString:
      return Tensor::of_strings(
          std::move(shape), {contents.bytes_contents().begin(), contents.bytes_contents().end()});
    default:
      fail(ErrorCode::kInvalidArgument, "{}: {} can only be given as raw contents", what,
           oip_datatype(dtype));
  }
}

/// One after the other those fields of a message that are raw contents go to `raw`, and all others
/// to the message: what a message says does not depend on how often it is cut.
class MessageSplitter {
 public:
  MessageSplitter(std::span<std::byte> bytes, const InferLimits& limits,
                  inference::ModelInferRequest& message, RawContents& raw)
      : bytes_(bytes),
        most_(limits.max_tensors),
        message_(message),
        raw_(raw),
        stream_(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                static_cast<int>(bytes.size())) {}

  /// False: the bytes are no message.
  bool split() {
    while (true) {
      const int begin = stream_.CurrentPosition();
      const std::uint32_t tag = stream_.ReadTag();
      if (tag == 0) {
        return stream_.ConsumedEntireMessage() && take_others(begin);
      }
      check_count(tag);
      if (tag == kRawContents) {
        std::uint32_t size = 0;
        if (!take_others(begin) || !stream_.ReadVarint32(&size)) {
          return false;
        }
        const auto at = static_cast<std::size_t>(stream_.CurrentPosition());
        if (size > bytes_.size() - at || !stream_.Skip(static_cast<int>(size))) {
          return false;
        }
        raw_.push_back(bytes_.subspan(at, size));
        others_begin_ = stream_.CurrentPosition();
      } else if (!Format::SkipField(&stream_, tag)) {
        return false;
      }
    }
  }

 private:
  using Format = google::protobuf::internal::WireFormatLite;
  using Message = inference::ModelInferRequest;
  static constexpr std::uint32_t kRawContents =
      Format::MakeTag(Message::kRawInputContentsFieldNumber, Format::WIRETYPE_LENGTH_DELIMITED);

  /// Two bytes could stand for each tensor: they are counted before there is memory for them.
  void check_count(std::uint32_t tag) {
    for (const auto& [field, what] :
         {std::pair(Message::kInputsFieldNumber, "inputs"),
          std::pair(Message::kOutputsFieldNumber, "outputs"),
          std::pair(Message::kRawInputContentsFieldNumber, "raw contents")}) {
      if (tag == Format::MakeTag(field, Format::WIRETYPE_LENGTH_DELIMITED) &&
          ++counts_[static_cast<std::size_t>(field)] > static_cast<std::int64_t>(most_)) {
        fail(ErrorCode::kTooLarge, "got more than {} {}, expected at most that", most_, what);
      }
    }
  }

  /// Those between the last raw contents and `end`.
  bool take_others(int end) {
    const auto bytes = bytes_.subspan(static_cast<std::size_t>(others_begin_),
                                      static_cast<std::size_t>(end - others_begin_));
    google::protobuf::io::CodedInputStream part(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
    return message_.MergeFromCodedStream(&part) && part.ConsumedEntireMessage();
  }

  std::span<std::byte> bytes_;
  std::size_t most_;
  Message& message_;
  RawContents& raw_;
  google::protobuf::io::CodedInputStream stream_;
  int others_begin_ = 0;
  std::array<std::int64_t, 8> counts_{};  // by the fields' numbers
};

void read_inputs(const inference::ModelInferRequest& message, const RawContents& contents,
                 const InferLimits& limits, InferRequest& request) {
  const auto raw = static_cast<int>(contents.size());
  if (raw != 0 && raw != message.inputs_size()) {
    fail(ErrorCode::kInvalidArgument,
         "got {} raw contents for {} inputs, expected one each or none", raw,
         message.inputs_size());
  }
  std::int64_t elements_left = limits.max_elements;
  std::set<std::string_view> names;
  for (int i = 0; i < message.inputs_size(); ++i) {
    const auto& input = message.inputs(i);
    const std::string what = format("input '{}'", input.name());
    if (!names.insert(input.name()).second) {
      fail(ErrorCode::kInvalidArgument, "{} is given twice", what);
    }
    refuse_shared_memory(input.parameters(), "input", input.name());
    const DType dtype = dtype_of_oip(input.datatype());
    if (dtype == DType::kUndefined) {
      fail(ErrorCode::kInvalidArgument, "{}: datatype '{}' is not known, expected one of {}", what,
           input.datatype(), oip_datatypes());
    }
    Shape shape(input.shape().begin(), input.shape().end());
    elements_left -= checked_element_count(shape, elements_left, what);
    if (raw == 0) {
      request.inputs.push_back(
          {input.name(), listed_tensor(dtype, std::move(shape), input.contents(), what)});
      continue;
    }
    if (input.has_contents()) {
      fail(ErrorCode::kInvalidArgument, "{} has contents beside raw contents", what);
    }
    request.inputs.push_back(
        {input.name(),
         raw_tensor(dtype, std::move(shape), contents[static_cast<std::size_t>(i)], what)});
  }
}

}  // namespace

InferRequest read_infer_request(const inference::ModelInferRequest& message, const RawContents& raw,
                                const InferLimits& limits) {
  const auto most = static_cast<int>(limits.max_tensors);
  if (message.inputs_size() > most || message.outputs_size() > most) {
    fail(ErrorCode::kTooLarge, "got {} inputs and {} outputs, expected at most {} of each",
         message.inputs_size(), message.outputs_size(), most);
  }
  InferRequest request;
  request.id = message.id();
  request.classification = class_count(message.parameters());
  if (const InferParameter* timeout = find(message.parameters(), "timeout")) {
    const std::int64_t microseconds = as_integer(*timeout, "timeout");
    if (microseconds < 0) {
      fail(ErrorCode::kInvalidArgument, "parameter timeout: got {}, expected microseconds from 0",
           microseconds);
    }
    if (microseconds > 0) {
      request.timeout = std::chrono::microseconds(microseconds);
    }
  }
  read_inputs(message, raw, limits, request);
  std::set<std::string_view> names;
  for (const auto& output : message.outputs()) {
    if (!names.insert(output.name()).second) {
      fail(ErrorCode::kInvalidArgument, "output '{}' is asked for twice", output.name());
    }
    refuse_shared_memory(output.parameters(), "output", output.name());
    request.outputs.push_back({output.name(), std::nullopt, class_count(output.parameters())});
  }
  return request;
}

RawContents parse_infer_request(std::span<std::byte> bytes, const InferLimits& limits,
                                inference::ModelInferRequest& message) {
  RawContents raw;
  if (!MessageSplitter(bytes, limits, message, raw).split()) {
    fail(ErrorCode::kInvalidArgument, "the message is no ModelInferRequest");
  }
  return raw;
}

}  // namespace onnxop
