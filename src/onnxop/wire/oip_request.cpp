#include "onnxop/wire/oip_request.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/base/error.h"
#include "onnxop/wire/json_elements.h"
#include "onnxop/wire/json_reading.h"
#include "onnxop/wire/oip_datatype.h"
#include "onnxop/wire/raw_tensor.h"

namespace onnxop {
namespace {

constexpr std::size_t kMostDimensions = 64;

std::optional<JsonObject> parameters_of(const JsonObject& from, std::string_view what) {
  const auto parameters = find_member(from, "parameters");
  return parameters ? std::optional(as_object(*parameters, format("{}.parameters", what)))
                    : std::nullopt;
}

/// Clients that ask for it would look for the answer where it is not.
void refuse_shared_memory(const std::optional<JsonObject>& parameters, std::string_view what) {
  if (find_member(parameters, "shared_memory_region")) {
    fail(ErrorCode::kUnsupported, "{}: shared memory is not offered: send and take the data itself",
         what);
  }
}

/// One request's reading: where the raw tensors stand, and how much may still come.
class RequestReader {
 public:
  RequestReader(std::span<std::byte> raw, std::size_t json_size, const InferLimits& limits)
      : raw_(raw), json_size_(json_size), limits_(limits), elements_left_(limits.max_elements) {}

  InferRequest read(const JsonElement& document) {
    const JsonObject root = as_object(document, "the request");
    if (const auto id = find_member(root, "id")) {
      request_.id = as_text(*id, "id");
    }
    read_parameters(root);
    const auto inputs = find_member(root, "inputs");
    if (!inputs) {
      fail(ErrorCode::kInvalidArgument, "the request has no inputs");
    }
    read_inputs(as_array(*inputs, "inputs"));
    if (!raw_.empty()) {
      fail(ErrorCode::kInvalidArgument,
           "{} bytes are left behind the binary data that the inputs name", raw_.size());
    }
    if (const auto outputs = find_member(root, "outputs")) {
      read_outputs(as_array(*outputs, "outputs"));
    }
    return std::move(request_);
  }

 private:
  void read_parameters(const JsonObject& root) {
    const auto parameters = parameters_of(root, "request");
    if (const auto binary = find_member(parameters, "binary_data_output")) {
      request_.binary_outputs = as_truth(*binary, "parameters.binary_data_output");
    }
    if (const auto count = find_member(parameters, "classification")) {
      request_.classification = read_count(*count, "parameters.classification");
    }
    if (const auto timeout = find_member(parameters, "timeout")) {
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

  static std::int64_t read_count(const JsonElement& value, std::string_view what) {
    const std::int64_t count = as_integer(value, what);
    if (count < 1) {
      fail(ErrorCode::kInvalidArgument, "{}: got {}, expected 1 or more", what, count);
    }
    return count;
  }

  void check_count(const JsonArray& list, std::string_view what) const {
    if (list.size() > limits_.max_tensors) {
      fail(ErrorCode::kTooLarge, "{}: got {} of them, expected at most {}", what, list.size(),
           limits_.max_tensors);
    }
  }

  void read_inputs(const JsonArray& inputs) {
    check_count(inputs, "inputs");
    std::set<std::string_view> names;
    for (const JsonElement each : inputs) {
      const std::string where = format("inputs[{}]", request_.inputs.size());
      const JsonObject input = as_object(each, where);
      const std::string_view name = read_name(input, where);
      if (!names.insert(name).second) {
        fail(ErrorCode::kInvalidArgument, "input '{}' is given twice", shown(name));
      }
      request_.inputs.push_back(
          {std::string(name), read_tensor(input, format("input '{}'", shown(name)))});
    }
  }

  static std::string_view read_name(const JsonObject& from, std::string_view what) {
    const auto name = find_member(from, "name");
    if (!name) {
      fail(ErrorCode::kInvalidArgument, "{} has no name", what);
    }
    return as_text(*name, format("{}.name", what));
  }

  static DType read_datatype(const JsonObject& input, const std::string& what) {
    const auto datatype = find_member(input, "datatype");
    if (!datatype) {
      fail(ErrorCode::kInvalidArgument, "{} has no datatype", what);
    }
    const std::string_view name = as_text(*datatype, format("{}: datatype", what));
    const DType dtype = dtype_of_oip(name);
    if (dtype == DType::kUndefined) {
      fail(ErrorCode::kInvalidArgument, "{}: datatype '{}' is not known, expected one of {}", what,
           shown(name), oip_datatypes());
    }
    return dtype;
  }

  static Shape read_shape(const JsonObject& input, const std::string& what) {
    const auto sizes = find_member(input, "shape");
    if (!sizes) {
      fail(ErrorCode::kInvalidArgument, "{} has no shape", what);
    }
    const std::string where = format("{}: shape", what);
    const JsonArray list = as_array(*sizes, where);
    if (list.size() > kMostDimensions) {
      fail(ErrorCode::kInvalidArgument, "{}: got {} dimensions, expected at most {}", where,
           list.size(), kMostDimensions);
    }
    Shape shape;
    for (const JsonElement size : list) {
      shape.push_back(as_integer(size, where));
    }
    return shape;
  }

  Tensor read_tensor(const JsonObject& input, const std::string& what) {
    const DType dtype = read_datatype(input, what);
    Shape shape = read_shape(input, what);
    elements_left_ -= checked_element_count(shape, elements_left_, what);

    const auto parameters = parameters_of(input, what);
    refuse_shared_memory(parameters, what);
    const auto binary_size = find_member(parameters, "binary_data_size");
    const auto data = find_member(input, "data");
    if (binary_size.has_value() == data.has_value()) {
      fail(ErrorCode::kInvalidArgument, "{} has {}, expected data or binary_data_size", what,
           data ? "both data and binary_data_size" : "no data");
    }
    if (binary_size) {
      return raw_tensor(dtype, std::move(shape), take_raw(*binary_size, what), what);
    }
    return read_json_data(dtype, std::move(shape), as_array(*data, format("{}: data", what)),
                          json_size_, what);
  }

  std::span<std::byte> take_raw(const JsonElement& size_value, const std::string& what) {
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

  void read_outputs(const JsonArray& outputs) {
    check_count(outputs, "outputs");
    std::set<std::string_view> names;
    for (const JsonElement each : outputs) {
      const std::string where = format("outputs[{}]", request_.outputs.size());
      const JsonObject output = as_object(each, where);
      const std::string_view name = read_name(output, where);
      if (!names.insert(name).second) {
        fail(ErrorCode::kInvalidArgument, "output '{}' is asked for twice", shown(name));
      }
      WantedOutput wanted;
      wanted.name = name;
      const auto parameters = parameters_of(output, where);
      refuse_shared_memory(parameters, format("output '{}'", shown(name)));
      if (const auto binary = find_member(parameters, "binary_data")) {
        wanted.binary = as_truth(*binary, format("{}.parameters.binary_data", where));
      }
      if (const auto count = find_member(parameters, "classification")) {
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
  const JsonDocument document({reinterpret_cast<const char*>(body.data()), json_size},
                              limits.max_json_depth);
  return RequestReader(body.subspan(json_size), json_size, limits).read(document.root());
}

}  // namespace onnxop
