// Requests at random, good and bad, compared with a slow reader that takes them apart one value at
// a time.

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <tuple>

#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/wire/oip_datatype.h"
#include "onnxop/wire/oip_request.h"
#include "onnxop/wire/test_requests.h"

namespace onnxop {
namespace {

using testing_requests::add_bytes;
using testing_requests::RequestMaker;

/// What a request says, in plain values.
struct Told {
  /// Name, type, shape, and the elements' bytes (texts: each behind its length).
  std::vector<std::tuple<std::string, std::string, Shape, std::string>> inputs;
  std::vector<std::tuple<std::string, int, std::int64_t>> outputs;  // binary: -1 not said
  bool operator==(const Told&) const = default;
};

Told told_by(const InferRequest& request) {
  Told told;
  for (const NamedTensor& input : request.inputs) {
    std::string bytes;
    if (input.tensor.dtype() == DType::kString) {
      for (const std::string& text : input.tensor.strings()) {
        add_bytes(bytes, static_cast<std::uint32_t>(text.size()));
        bytes += text;
      }
    } else {
      const auto of_tensor = input.tensor.bytes();
      bytes.assign(reinterpret_cast<const char*>(of_tensor.data()), of_tensor.size());
    }
    told.inputs.emplace_back(input.name, oip_datatype(input.tensor.dtype()), input.tensor.shape(),
                             bytes);
  }
  for (const WantedOutput& output : request.outputs) {
    told.outputs.emplace_back(output.name, output.binary ? static_cast<int>(*output.binary) : -1,
                              output.classification);
  }
  return told;
}

// --- The slow reader. It throws std::exception for what is wrong. ---

void require(bool good) {
  if (!good) {
    throw std::runtime_error("refused");
  }
}

template <typename T>
void add_whole(std::string& bytes, const Json& value) {
  require(value.is_number_integer());
  if (value.is_number_unsigned()) {
    require(value.get<std::uint64_t>() <=
            static_cast<std::uint64_t>(std::numeric_limits<T>::max()));
  } else {
    require(std::is_signed_v<T> &&
            value.get<std::int64_t>() >= static_cast<std::int64_t>(std::numeric_limits<T>::min()));
  }
  add_bytes(bytes, value.get<T>());
}

void add_element(std::string& bytes, const std::string& type, const Json& value) {
  if (type == "BOOL") {
    require(value.is_boolean() || value == 0 || value == 1);
    require(!value.is_number_float());
    add_bytes(bytes, value.is_boolean() ? value.get<bool>() : value == 1);
  } else if (type == "BYTES") {
    require(value.is_string());
    const auto text = value.get<std::string>();
    add_bytes(bytes, static_cast<std::uint32_t>(text.size()));
    bytes += text;
  } else if (type == "FP32" || type == "FP64") {
    require(value.is_number());
    const auto number = value.get<double>();
    require(std::isfinite(type == "FP32" ? static_cast<float>(number) : number));
    type == "FP32" ? add_bytes(bytes, static_cast<float>(number)) : add_bytes(bytes, number);
  } else if (type.starts_with("UINT")) {
    type == "UINT8"    ? add_whole<std::uint8_t>(bytes, value)
    : type == "UINT16" ? add_whole<std::uint16_t>(bytes, value)
    : type == "UINT32" ? add_whole<std::uint32_t>(bytes, value)
                       : add_whole<std::uint64_t>(bytes, value);
  } else {
    require(type.starts_with("INT"));
    type == "INT8"    ? add_whole<std::int8_t>(bytes, value)
    : type == "INT16" ? add_whole<std::int16_t>(bytes, value)
    : type == "INT32" ? add_whole<std::int32_t>(bytes, value)
                      : add_whole<std::int64_t>(bytes, value);
  }
}

std::int64_t add_elements(std::string& bytes, const std::string& type, const Json& data) {
  std::int64_t count = 0;
  for (const Json& each : data) {
    if (each.is_array()) {
      count += add_elements(bytes, type, each);
    } else {
      add_element(bytes, type, each);
      ++count;
    }
  }
  return count;
}

void check_raw(const std::string& type, std::int64_t count, std::string_view raw) {
  const std::map<std::string, std::size_t> sizes{
      {"BOOL", 1}, {"UINT8", 1}, {"INT8", 1},  {"UINT16", 2}, {"INT16", 2},
      {"FP16", 2}, {"BF16", 2},  {"FP32", 4},  {"INT32", 4},  {"UINT32", 4},
      {"FP64", 8}, {"INT64", 8}, {"UINT64", 8}};
  if (type != "BYTES") {
    require(raw.size() == sizes.at(type) * static_cast<std::size_t>(count));
    require(type != "BOOL" || raw.find_first_not_of(std::string_view("\0\1", 2)) == raw.npos);
    return;
  }
  for (; count > 0; --count) {
    require(raw.size() >= 4);
    std::uint32_t size = 0;
    std::memcpy(&size, raw.data(), 4);
    raw.remove_prefix(4);
    require(raw.size() >= size);
    raw.remove_prefix(size);
  }
  require(raw.empty());
}

const Json* member(const Json& from, const char* key) {
  require(from.is_object());
  return from.contains(key) && !from[key].is_null() ? &from[key] : nullptr;
}

void read_input(const Json& input, std::string_view& raw, Told& told) {
  const Json* name = member(input, "name");
  const Json* type = member(input, "datatype");
  const Json* shape = member(input, "shape");
  const Json* data = member(input, "data");
  const Json* parameters = member(input, "parameters");
  const Json* size = parameters == nullptr ? nullptr : member(*parameters, "binary_data_size");
  require(name != nullptr && type != nullptr && shape != nullptr && shape->is_array());
  Shape sizes;
  std::int64_t count = 1;
  for (const Json& each : *shape) {
    require(each.is_number_integer() && each.get<std::int64_t>() >= 0);
    sizes.push_back(each.get<std::int64_t>());
    count *= sizes.back();
  }
  require((data == nullptr) != (size == nullptr));
  std::string bytes;
  const auto type_name = type->get<std::string>();
  if (data != nullptr) {
    require(type_name != "FP16" && type_name != "BF16" && data->is_array());
    require(dtype_of_oip(type_name) != DType::kUndefined);
    require(add_elements(bytes, type_name, *data) == count);
  } else {
    require(size->is_number_integer() && size->get<std::int64_t>() >= 0 &&
            size->get<std::uint64_t>() <= raw.size());
    bytes = raw.substr(0, size->get<std::size_t>());
    raw.remove_prefix(bytes.size());
    check_raw(type_name, count, bytes);
  }
  for (const auto& [other, t, s, b] : told.inputs) {
    require(other != name->get<std::string>());
  }
  told.inputs.emplace_back(name->get<std::string>(), type_name, sizes, bytes);
}

Told read_slowly(std::string_view text, std::string_view raw) {
  const Json json = parse_json(text, "request");
  Told told;
  const Json* inputs = member(json, "inputs");
  require(inputs != nullptr && inputs->is_array());
  for (const Json& input : *inputs) {
    read_input(input, raw, told);
  }
  require(raw.empty());
  std::set<std::string> names;
  if (const Json* outputs = member(json, "outputs")) {
    for (const Json& output : *outputs) {
      const Json* name = member(output, "name");
      require(name != nullptr && names.insert(name->get<std::string>()).second);
      const Json* parameters = member(output, "parameters");
      const Json* binary = parameters == nullptr ? nullptr : member(*parameters, "binary_data");
      const Json* top = parameters == nullptr ? nullptr : member(*parameters, "classification");
      require(top == nullptr || (top->is_number_integer() && *top >= 1));
      told.outputs.emplace_back(name->get<std::string>(),
                                binary == nullptr ? -1 : static_cast<int>(binary->get<bool>()),
                                top == nullptr ? 0 : top->get<std::int64_t>());
    }
  }
  return told;
}

TEST(OipReference, SaysTheSameOfRandomRequests) {
  int good = 0;
  constexpr std::uint64_t kRequests = 6000;
  for (std::uint64_t stream = 0; stream < kRequests; ++stream) {
    RequestMaker maker(stream);
    const std::string json = maker.make();
    const std::string body = json + maker.raw;
    std::optional<Told> expected;
    try {
      expected = read_slowly(json, maker.raw);
      ++good;
    } catch (const std::exception&) {
    }
    std::vector<std::byte> bytes(body.size());
    std::memcpy(bytes.data(), body.data(), body.size());
    std::optional<Told> got;
    std::string error;
    try {
      got = told_by(parse_infer_request(bytes, json.size(), {}));
    } catch (const Error& e) {
      error = e.what();
    }
    ASSERT_EQ(got.has_value(), expected.has_value())
        << "request " << stream << ": " << json << ' ' << error;
    ASSERT_TRUE(got == expected) << "request " << stream << ": " << json;
  }
  EXPECT_GT(good, static_cast<int>(kRequests / 5));
  EXPECT_LT(good, static_cast<int>(kRequests * 4 / 5));
}

}  // namespace
}  // namespace onnxop
