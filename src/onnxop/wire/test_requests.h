#pragma once
// Open Inference Protocol requests at random, for tests.

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "onnxop/base/json_value.h"
#include "onnxop/base/random.h"
#include "onnxop/wire/oip_datatype.h"

namespace onnxop::testing_requests {

template <typename T>
void add_bytes(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// One request, the same for the same `stream`.
class RequestMaker {
 public:
  explicit RequestMaker(std::uint64_t stream) : random_(5, stream) {}

  /// The raw tensors of the request.
  std::string raw;

  /// The JSON of one request, good or wrong in some way; once for an object.
  std::string make() {
    Json inputs = Json::array();
    for (std::uint32_t left = 1 + random_.below(3); left > 0; --left) {
      inputs.push_back(input());
    }
    Json json = Json::object();
    const bool outputs_first = chance(2);
    if (outputs_first) {
      json["outputs"] = outputs();
    }
    json["inputs"] = rarely() ? Json("none") : inputs;
    if (!outputs_first && chance(2)) {
      json["outputs"] = outputs();
    }
    if (chance(3)) {
      json["parameters"] = {{"unknown", {1, {{"deep", nullptr}}}}};
    }
    if (rarely()) {
      raw += 'x';
    }
    std::string text = chance(2) ? json.dump() : json.dump(1);
    for (std::size_t at = 0; (at = text.find("\"@huge\"", at)) != text.npos;) {
      text.replace(at, 7, "100000000000000000000");
    }
    return text;
  }

 private:
  bool chance(std::uint32_t of) { return random_.below(of) == 0; }
  bool rarely() { return chance(60); }

  template <typename List>
  auto any(const List& list) {
    return *(std::begin(list) + random_.below(static_cast<std::uint32_t>(std::size(list))));
  }

  Json outputs() {
    Json list = Json::array();
    for (std::uint32_t left = random_.below(3); left > 0; --left) {
      Json parameters = Json::object();
      if (chance(2)) {
        parameters["binary_data"] = rarely() ? Json(1) : Json(chance(2));
      }
      if (chance(2)) {
        parameters["classification"] = rarely() ? 0 : 3;
      }
      list.push_back({{"name", rarely() ? "same" : format("y{}", left)}});
      if (chance(2)) {
        list.back()["parameters"] = parameters;
      }
    }
    return list;
  }

  Json input() {
    static constexpr const char* kTypes[] = {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64",
                                             "INT8", "INT16", "INT32",  "INT64",  "FP16",
                                             "FP32", "FP64",  "BYTES",  "BF16"};
    const std::string type = any(kTypes);
    Shape shape;
    std::int64_t count = 1;
    for (std::uint32_t left = random_.below(4); left > 0; --left) {
      shape.push_back(chance(20) ? 0 : 1 + random_.below(3));
      count *= shape.back();
    }
    Json json{{"name", rarely() ? "same" : format("x{}", next_++)}, {"shape", shape}};
    if (!shape.empty() && rarely()) {
      json["shape"][0] = any(std::vector<Json>{-1, 1.5, "2", nullptr});
    }
    const bool binary = type == "FP16" || type == "BF16" ? !rarely() : chance(3);
    if (binary) {
      const std::size_t before = raw.size();
      add_raw(type, count);
      const std::size_t size = raw.size() - before;
      json["parameters"]["binary_data_size"] =
          rarely() ? any(std::vector<Json>{-1, size + 1, 1e3, "8"}) : Json(size);
    }
    if (binary ? rarely() : !rarely()) {
      json["data"] = rarely() ? Json(1) : data(type, shape, count);
    }
    json["datatype"] = rarely() ? "FLOAT" : type;
    return json;
  }

  void add_raw(const std::string& type, std::int64_t count) {
    const std::size_t size = dtype_size(dtype_of_oip(type));
    for (std::int64_t i = 0; i < count + (rarely() ? 1 : 0); ++i) {
      if (type == "BYTES") {
        const std::uint32_t length = random_.below(4);
        add_bytes(raw, rarely() ? random_.next_u32() : length);
        raw.append(length, 't');
      }
      for (std::size_t byte = 0; byte < size; ++byte) {
        raw += static_cast<char>(random_.below(type == "BOOL" && !rarely() ? 2 : 256));
      }
    }
  }

  Json data(const std::string& type, const Shape& shape, std::int64_t count) {
    Json flat = Json::array();
    for (std::int64_t i = 0; i < count + (rarely() ? 1 : 0); ++i) {
      flat.push_back(element(type));
    }
    if (rarely() && !flat.empty()) {
      flat.erase(flat.size() - 1);
    }
    if (chance(2) || shape.empty() || count == 0) {
      return flat;
    }
    // Nested as the shape is, from the innermost dimension on.
    for (std::size_t i = shape.size() - 1; i > 0; --i) {
      Json rows = Json::array();
      for (std::size_t at = 0; at < flat.size(); ++at) {
        if (at % static_cast<std::size_t>(shape[i]) == 0) {
          rows.push_back(Json::array());
        }
        rows.back().push_back(flat[at]);
      }
      flat = std::move(rows);
    }
    return flat;
  }

  Json element(const std::string& type) {
    if (chance(300)) {
      return any(std::vector<Json>{true, "text", nullptr, 1.5, -1, 300, 1e39, "@huge",
                                   Json::object(), INT64_MIN, UINT64_MAX});
    }
    if (type == "BOOL") {
      return chance(2) ? Json(chance(2)) : Json(random_.below(2));
    }
    if (type == "BYTES") {
      return any(std::vector<Json>{"", "a", "\"\\/\n\t", "é\u2028", std::string("\0x", 2)});
    }
    if (type == "FP32" || type == "FP64") {
      return any(std::vector<Json>{0, -1, 0.1, 1e-300, 3.4028234e38, -2.5e-3, INT64_MAX, UINT64_MAX,
                                   "@huge", random_.uniform(-1, 1)});
    }
    const std::uint32_t small = random_.below(128);
    const bool negative = type.starts_with("INT") && chance(2);
    if (chance(40)) {  // the edges of all types
      static constexpr std::int64_t kEdges[] = {
          -129,      -128,      127,        128,       255,       256,
          -32769,    -32768,    32767,      32768,     65535,     65536,
          INT32_MIN, INT32_MAX, UINT32_MAX, INT64_MIN, INT64_MAX, -std::int64_t{1} - INT32_MAX - 1};
      return any(kEdges);
    }
    return negative ? Json(-static_cast<std::int64_t>(small)) : Json(small);
  }

  Random random_;
  int next_ = 0;
};

}  // namespace onnxop::testing_requests
