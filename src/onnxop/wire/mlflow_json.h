#pragma once
// Parts that the answers of several calls have. Private to this room.

#include <string_view>

#include "onnxop/base/json_writer.h"
#include "onnxop/registry/run.h"

namespace onnxop {

/// "tags": [{"key": …, "value": …}, …]
void write_pairs(JsonWriter& json, std::string_view name, const Texts& pairs);

/// Nothing where it is "": clients tell absent from empty.
void write_text_if_any(JsonWriter& json, std::string_view name, std::string_view value);

/// "next_page_token", on all pages but the last.
void write_next_page(JsonWriter& json, std::string_view token);

/// An object's fields, without its brackets.
void write_metric(JsonWriter& json, const Metric& metric);

}  // namespace onnxop
