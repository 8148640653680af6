#pragma once
// Values out of JSON that a client sent: what is of another kind than expected is an
// Error{kInvalidArgument} that says where it stands (`what`). Private to this room.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

namespace onnxop {

using JsonElement = simdjson::dom::element;
using JsonArray = simdjson::dom::array;
using JsonObject = simdjson::dom::object;

/// A parsed text, and the memory that its values lie in.
class JsonDocument {
 public:
  /// Throws Error{kInvalidArgument} for what is no JSON or is nested more than `max_depth` deep,
  /// {kTooLarge} for more than 4 GiB. A whole number that no 64 bits hold counts as a
  /// floating-point one.
  JsonDocument(std::string_view json, std::size_t max_depth);

  JsonElement root() const { return root_; }

 private:
  simdjson::dom::parser parser_;
  JsonElement root_;
};

/// None where the key is not there, or null.
std::optional<JsonElement> find_member(const JsonObject& from, std::string_view key);
std::optional<JsonElement> find_member(const std::optional<JsonObject>& from, std::string_view key);

JsonObject as_object(const JsonElement& value, std::string_view what);
JsonArray as_array(const JsonElement& value, std::string_view what);
std::string_view as_text(const JsonElement& value, std::string_view what);
std::int64_t as_integer(const JsonElement& value, std::string_view what);
double as_number(const JsonElement& value, std::string_view what);
bool as_truth(const JsonElement& value, std::string_view what);

/// For messages: a number or truth value as it is, of others the kind ("a text").
std::string describe_json(const JsonElement& value);

/// For messages: a client's text, cut where it is long.
std::string shown(std::string_view text);

}  // namespace onnxop
