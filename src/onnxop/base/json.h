#pragma once
// JSON values for all rooms (metadata, checkpoints, wire bodies, --json output); keys keep their
// order. A .cpp file that works with values includes <nlohmann/json.hpp> through base/json_value.h;
// headers need only this.

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace onnxop {

using Json = nlohmann::ordered_json;

/// Parses one JSON document. Throws Error{kInvalidArgument} that names `what` (a file name,
/// "request body"), the byte position and the problem; also when arrays and objects are nested
/// deeper than `max_depth`.
Json parse_json(std::string_view text, std::string_view what, int max_depth = 64);

/// One line, no spaces. Bytes that are no UTF-8 become U+FFFD.
std::string dump_json(const Json& value);

/// Two spaces an indent level.
std::string dump_json_pretty(const Json& value);

}  // namespace onnxop
