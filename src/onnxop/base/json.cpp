#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"

namespace onnxop {

Json parse_json(std::string_view text, std::string_view what, int max_depth) {
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > max_depth) {
      fail(ErrorCode::kInvalidArgument, "{}: JSON nested deeper than {} levels", what, max_depth);
    }
    return true;
  };
  try {
    return Json::parse(text, limit_depth);
  } catch (const Json::parse_error& e) {
    std::string_view reason = e.what();
    if (const auto at = reason.find("] "); at != std::string_view::npos) {
      reason.remove_prefix(at + 2);
    }
    fail(ErrorCode::kInvalidArgument, "{}: not valid JSON: {}", what, reason);
  }
}

std::string dump_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string dump_json_pretty(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace onnxop
