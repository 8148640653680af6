#include "onnxop/wire/image_json.h"

#include <array>
#include <charconv>

#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

std::string quoted(std::string_view text) {
  return dump_json(Json(text));
}

/// The shortest text that reads back as the same number.
template <typename Number>
void append_number(std::string& json, Number number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  json.append(text.data(), end);
}

}  // namespace

std::string image_answer_json(const ImageAnswer& answer) {
  // Written by hand: a tree of values would cost more than all the rest of the answer.
  std::string json = R"({"prediction":[[[)";
  json.reserve(160 + 24 * answer.values.size());
  for (std::size_t i = 0; i < answer.values.size(); ++i) {
    json += i == 0 ? "" : ",";
    append_number(json, answer.values[i]);
  }
  json += "]]]";
  if (answer.classification) {
    json += R"(,"label":)";
    json += quoted(answer.label);
    json += R"(,"confidence":)";
    append_number(json, answer.confidence);
  }
  json += R"(,"model":)";
  json += quoted(answer.model);
  json += R"(,"version":)";
  append_number(json, answer.version);
  json += '}';
  return json;
}

std::string error_json(std::string_view message) {
  return dump_json(Json{{"error", message}});
}

std::string status_json(std::string_view status) {
  return dump_json(Json{{"status", status}});
}

}  // namespace onnxop
