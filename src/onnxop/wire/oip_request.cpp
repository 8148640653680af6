#include "onnxop/wire/oip_request.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "onnxop/base/error.h"
#include "onnxop/wire/oip_datatype.h"
#include "onnxop/wire/raw_tensor.h"

namespace onnxop {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

std::string_view kind_of(const element& value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::STRING:
      return "a text";
    case element_type::BOOL:
      return "a truth value";
    case element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

[[noreturn]] void refuse(std::string_view what, const element& got, std::string_view expected) {
  fail(ErrorCode::kInvalidArgument, "{}: got {}, expected {}", what, kind_of(got), expected);
}

std::optional<element> find(const object& from, std::string_view key) {
  element value;
  return from.at_key(key).get(value) == simdjson::SUCCESS ? std::optional(value) : std::nullopt;
}

object as_object(const element& value, std::string_view what) {
  object result;
  if (value.get_object().get(result) != simdjson::SUCCESS) {
    refuse(what, value, "an object");
  }
  return result;
}

array as_array(const element& value, std::string_view what) {
  array result;
  if (value.get_array().get(result) != simdjson::SUCCESS) {
    refuse(what, value, "an array");
  }
  return result;
}

std::string_view as_text(const element& value, std::string_view what) {
  std::string_view result;
  if (value.get_string().get(result) != simdjson::SUCCESS) {
    refuse(what, value, "a text");
  }
  return result;
}

std::int64_t as_integer(const element& value, std::string_view what) {
  std::int64_t result = 0;
  if (value.get_int64().get(result) != simdjson::SUCCESS) {
    fail(ErrorCode::kInvalidArgument, "{}: got {}, expected a whole number of 64 bits", what,
         kind_of(value));
  }
  return result;
}

bool as_truth(const element& value, std::string_view what) {
  bool result = false;
  if (value.get_bool().get(result) != simdjson::SUCCESS) {
    refuse(what, value, "true or false");
  }
  return result;
}

object parameters_of(const object& from, std::string_view what, bool& present) {
  const auto parameters = find(from, "parameters");
  present = parameters.has_value();
  return present ? as_object(*parameters, format("{}.parameters", what)) : object();
}

// Elements of JSON arrays, nested or flat, in order.

template <typename T>
bool read_value(const element& value, T& to) {
  if constexpr (std::is_same_v<T, bool>) {
    std::uint64_t number = 0;
    if (value.get_uint64().get(number) == simdjson::SUCCESS && number <= 1) {
      to = number == 1;
      return true;
    }
    return value.get_bool().get(to) == simdjson::SUCCESS;
  } else if constexpr (std::is_floating_point_v<T>) {
    double number = 0;
    if (value.get_double().get(number) != simdjson::SUCCESS) {
      return false;
    }
    to = static_cast<T>(number);
    return std::isfinite(to);
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return value.get_uint64().get(to) == simdjson::SUCCESS;
  } else {
    std::int64_t number = 0;
    if (value.get_int64().get(number) != simdjson::SUCCESS ||
        number < static_cast<std::int64_t>(std::numeric_limits<T>::min()) ||
        number > static_cast<std::int64_t>(std::numeric_limits<T>::max())) {
      return false;
    }
    to = static_cast<T>(number);
    return true;
  }
}

template <>
bool read_value<std::string>(const element& value, std::string& to) {
  std::string_view text;
  const bool good = value.get_string().get(text) == simdjson::SUCCESS;
  to = text;
  return good;
}

template <typename T>
class ElementReader {
 public:
  ElementReader(std::span<T> to, DType dtype, std::string_view what)
      : to_(to), dtype_(dtype), what_(what) {}

  void read(const array& values) {
    for (const element value : values) {
      if (value.type() == element_type::ARRAY) {
        read(value.get_array().value_unsafe());
      } else if (next_ == to_.size()) {
        ++next_;
        refuse_count();
      } else if (read_value(value, to_[next_])) {
        ++next_;
      } else {
        fail(ErrorCode::kInvalidArgument, "{}: element {} is {} that is no {}", what_, next_,
             kind_of(value), oip_datatype(dtype_));
      }
    }
  }

  void finish() const {
    if (next_ != to_.size()) {
      refuse_count();
    }
  }

 private:
  [[noreturn]] void refuse_count() const {
    fail(ErrorCode::kInvalidArgument, "{}: got {} {} elements, expected the {} of its shape", what_,
         next_ > to_.size() ? "more than" : "only", std::min(next_, to_.size()), to_.size());
  }

  std::span<T> to_;
  DType dtype_;
  std::string_view what_;
  std::size_t next_ = 0;
};

template <typename T>
Tensor json_tensor(DType dtype, Shape shape, const array& data, std::string_view what) {
  Tensor tensor(dtype, std::move(shape));
  ElementReader<T> reader(tensor.values<T>(), dtype, what);
  reader.read(data);
  reader.finish();
  return tensor;
}

/// Elements that the shape promises must be there: nothing is allocated for those that cannot be.
void check_plausible(std::int64_t count, std::size_t json_size, std::string_view what) {
  if (count > 0 && static_cast<std::uint64_t>(count) > json_size) {
    fail(ErrorCode::kInvalidArgument,
         "{}: its shape has {} elements, more than the request has bytes", what, count);
  }
}

Tensor json_tensor(DType dtype, Shape shape, const array& data, std::string_view what) {
  switch (dtype) {
    case DType::kBool:
      return json_tensor<bool>(dtype, std::move(shape), data, what);
    case DType::kUint8:
      return json_tensor<std::uint8_t>(dtype, std::move(shape), data, what);
    case DType::kUint16:
      return json_tensor<std::uint16_t>(dtype, std::move(shape), data, what);
    case DType::kUint32:
      return json_tensor<std::uint32_t>(dtype, std::move(shape), data, what);
    case DType::kUint64:
      return json_tensor<std::uint64_t>(dtype, std::move(shape), data, what);
    case DType::kInt8:
      return json_tensor<std::int8_t>(dtype, std::move(shape), data, what);
    case DType::kInt16:
      return json_tensor<std::int16_t>(dtype, std::move(shape), data, what);
    case DType::kInt32:
      return json_tensor<std::int32_t>(dtype, std::move(shape), data, what);
    case DType::kInt64:
      return json_tensor<std::int64_t>(dtype, std::move(shape), data, what);
    case DType::kFloat32:
      return json_tensor<float>(dtype, std::move(shape), data, what);
    case DType::kFloat64:
      return json_tensor<double>(dtype, std::move(shape), data, what);
    case DType::kString: {
      std::vector<std::string> texts(static_cast<std::size_t>(element_count(shape)));
      ElementReader<std::string> reader(texts, dtype, what);
      reader.read(data);
      reader.finish();
      return Tensor::of_strings(std::move(shape), std::move(texts));
    }
    default:
      fail(ErrorCode::kInvalidArgument,
           "{}: {} cannot be given as JSON, only as binary data (binary_data_size)", what,
           oip_datatype(dtype));
  }
}

/// One request's reading: where the raw tensors stand, and how much may still come.
class RequestReader {
 public:
  RequestReader(std::span<std::byte> raw, std::size_t json_size, const InferLimits& limits)
      : raw_(raw), json_size_(json_size), limits_(limits), elements_left_(limits.max_elements) {}

  InferRequest read(const element& document) {
    const object root = as_object(document, "the request");
    if (const auto id = find(root, "id")) {
      request_.id = as_text(*id, "id");
    }
    read_parameters(root);
    const auto inputs = find(root, "inputs");
    if (!inputs) {
      fail(ErrorCode::kInvalidArgument, "the request has no inputs");
    }
    read_inputs(as_array(*inputs, "inputs"));
    if (!raw_.empty()) {
      fail(ErrorCode::kInvalidArgument,
           "{} bytes are left behind the binary data that the inputs name", raw_.size());
    }
    if (const auto outputs = find(root, "outputs")) {
      read_outputs(as_array(*outputs, "outputs"));
    }
    return std::move(request_);
  }

 private:
  void read_parameters(const object& root) {
    bool present = false;
    const object parameters = parameters_of(root, "request", present);
    if (!present) {
      return;
    }
    if (const auto binary = find(parameters, "binary_data_output")) {
      request_.binary_outputs = as_truth(*binary, "parameters.binary_data_output");
    }
    if (const auto count = find(parameters, "classification")) {
      request_.classification = read_count(*count, "parameters.classification");
    }
    if (const auto timeout = find(parameters, "timeout")) {
      const std::int64_t microseconds = as_integer(*timeout, "parameters.timeout");
      if (microseconds < 0) {
        fail(ErrorCode::kInvalidArgument,
             "parameters.timeout: got {}, expected microseconds from 0", microseconds);
      }
      if (microseconds > 0) {
        request_.timeout = std::chrono::microseconds(microseconds);
      }
    }
  }

  static std::int64_t read_count(const element& value, std::string_view what) {
    const std::int64_t count = as_integer(value, what);
    if (count < 1) {
      fail(ErrorCode::kInvalidArgument, "{}: got {}, expected 1 or more", what, count);
    }
    return count;
  }

  void check_count(const array& list, std::string_view what) const {
    if (list.size() > limits_.max_tensors) {
      fail(ErrorCode::kTooLarge, "{}: got {} of them, expected at most {}", what, list.size(),
           limits_.max_tensors);
    }
  }

  void read_inputs(const array& inputs) {
    check_count(inputs, "inputs");
    std::set<std::string_view> names;
    for (const element each : inputs) {
      const object input = as_object(each, format("inputs[{}]", request_.inputs.size()));
      const std::string_view name = read_name(input, format("inputs[{}]", request_.inputs.size()));
      if (!names.insert(name).second) {
        fail(ErrorCode::kInvalidArgument, "input '{}' is given twice", name);
      }
      request_.inputs.push_back(
          {std::string(name), read_tensor(input, format("input '{}'", name))});
    }
  }

  static std::string_view read_name(const object& from, std::string_view what) {
    const auto name = find(from, "name");
    if (!name) {
      fail(ErrorCode::kInvalidArgument, "{} has no name", what);
    }
    return as_text(*name, format("{}.name", what));
  }

  Tensor read_tensor(const object& input, const std::string& what) {
    const auto datatype = find(input, "datatype");
    const auto shape_value = find(input, "shape");
    if (!datatype || !shape_value) {
      fail(ErrorCode::kInvalidArgument, "{} has no {}", what, datatype ? "shape" : "datatype");
    }
    const std::string_view type_name = as_text(*datatype, format("{}: datatype", what));
    const DType dtype = dtype_of_oip(type_name);
    if (dtype == DType::kUndefined) {
      fail(ErrorCode::kInvalidArgument, "{}: datatype '{}' is not known, expected one of {}", what,
           type_name, oip_datatypes());
    }
    Shape shape;
    for (const element size : as_array(*shape_value, format("{}: shape", what))) {
      shape.push_back(as_integer(size, format("{}: shape", what)));
    }
    const std::int64_t count = checked_element_count(shape, elements_left_, what);
    elements_left_ -= count;

    bool present = false;
    const object parameters = parameters_of(input, what, present);
    const auto binary_size = present ? find(parameters, "binary_data_size") : std::nullopt;
    const auto data = find(input, "data");
    if (binary_size.has_value() == data.has_value()) {
      fail(ErrorCode::kInvalidArgument, "{} has {}, expected data or binary_data_size", what,
           data ? "both data and binary_data_size" : "no data");
    }
    if (binary_size) {
      return raw_tensor(dtype, std::move(shape), take_raw(*binary_size, what), what);
    }
    check_plausible(count, json_size_, what);
    return json_tensor(dtype, std::move(shape), as_array(*data, format("{}: data", what)), what);
  }

  std::span<std::byte> take_raw(const element& size_value, const std::string& what) {
    const std::int64_t size = as_integer(size_value, format("{}: binary_data_size", what));
    if (size < 0 || static_cast<std::uint64_t>(size) > raw_.size()) {
      fail(ErrorCode::kInvalidArgument,
           "{}: binary_data_size is {}, but {} bytes of binary data are left", what, size,
           raw_.size());
    }
    const auto taken = raw_.first(static_cast<std::size_t>(size));
    raw_ = raw_.subspan(taken.size());
    return taken;
  }

  void read_outputs(const array& outputs) {
    check_count(outputs, "outputs");
    std::set<std::string_view> names;
    for (const element each : outputs) {
      const std::string where = format("outputs[{}]", request_.outputs.size());
      const object output = as_object(each, where);
      WantedOutput wanted;
      const std::string_view name = read_name(output, where);
      if (!names.insert(name).second) {
        fail(ErrorCode::kInvalidArgument, "output '{}' is asked for twice", name);
      }
      wanted.name = name;
      bool present = false;
      const object parameters = parameters_of(output, where, present);
      if (const auto binary = present ? find(parameters, "binary_data") : std::nullopt) {
        wanted.binary = as_truth(*binary, format("{}.parameters.binary_data", where));
      }
      if (const auto count = present ? find(parameters, "classification") : std::nullopt) {
        wanted.classification = read_count(*count, format("{}.parameters.classification", where));
      }
      request_.outputs.push_back(std::move(wanted));
    }
  }

  std::span<std::byte> raw_;
  std::size_t json_size_;
  const InferLimits& limits_;
  std::int64_t elements_left_;
  InferRequest request_;
};

}  // namespace

InferRequest parse_infer_request(std::span<std::byte> body,
                                 std::optional<std::uint64_t> header_length,
                                 const InferLimits& limits) {
  const std::size_t json_size =
      header_length ? static_cast<std::size_t>(*header_length) : body.size();
  if (json_size > body.size() || json_size == 0) {
    fail(ErrorCode::kInvalidArgument, "the JSON has {} bytes, expected 1 to the {} of the body",
         json_size, body.size());
  }
  simdjson::dom::parser parser;
  if (parser.allocate(json_size, limits.max_json_depth) != simdjson::SUCCESS) {
    fail(ErrorCode::kTooLarge, "the JSON of {} bytes is too large", json_size);
  }
  element document;
  const auto error =
      parser.parse(reinterpret_cast<const std::uint8_t*>(body.data()), json_size, true)
          .get(document);
  if (error == simdjson::DEPTH_ERROR) {
    fail(ErrorCode::kInvalidArgument, "the JSON is nested more than {} deep",
         limits.max_json_depth);
  }
  if (error != simdjson::SUCCESS) {
    fail(ErrorCode::kInvalidArgument, "the request is no JSON: {}", simdjson::error_message(error));
  }
  return RequestReader(body.subspan(json_size), json_size, limits).read(document);
}

InferRequest parse_raw_request(std::span<std::byte> body, std::span<const TensorInfo> inputs) {
  if (inputs.size() != 1) {
    fail(ErrorCode::kInvalidArgument,
         "a raw request has one input, but the model has {}: say which is which in JSON",
         inputs.size());
  }
  const TensorInfo& input = inputs.front();
  const std::string what = format("input '{}'", input.name);
  Shape shape = input.shape;
  if (!shape.empty() && shape.front() == -1) {
    shape.front() = 1;
  }
  if (std::count(shape.begin(), shape.end(), -1) > 1) {
    fail(ErrorCode::kInvalidArgument,
         "{}: a raw request cannot say its shape {}, of which at most one dimension beside the "
         "batch may be free",
         what, shape_text(input.shape));
  }
  const auto free = std::find(shape.begin(), shape.end(), -1);
  if (input.dtype == DType::kString) {
    if (free != shape.end()) {
      *free = 1;
    }
    if (element_count(shape) != 1) {
      fail(ErrorCode::kInvalidArgument, "{}: a raw request holds one text, expected shape {}", what,
           shape_text(shape));
    }
    InferRequest request;
    request.binary_outputs = true;
    request.inputs.push_back(
        {input.name,
         Tensor::of_strings(
             shape, {std::string(reinterpret_cast<const char*>(body.data()), body.size())})});
    return request;
  }
  if (free != shape.end()) {
    *free = 1;
    const auto row = static_cast<std::size_t>(element_count(shape)) * dtype_size(input.dtype);
    *free = row == 0 ? 0 : static_cast<std::int64_t>(body.size() / row);
  }
  InferRequest request;
  request.binary_outputs = true;
  request.inputs.push_back({input.name, raw_tensor(input.dtype, std::move(shape), body, what)});
  return request;
}

std::uint64_t parse_header_length(std::string_view text, std::size_t body_size) {
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size() || length > body_size) {
    fail(ErrorCode::kInvalidArgument,
         "Inference-Header-Content-Length: got '{}', expected 0 to the {} bytes of the body", text,
         body_size);
  }
  return length;
}

}  // namespace onnxop
