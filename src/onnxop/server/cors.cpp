#include "onnxop/server/cors.h"

#include <algorithm>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::string_view kAny = "*";
// The star is for fields that options name; it does not stand for Authorization.
constexpr std::string_view kRequestFields =
    "Authorization, Content-Type, Content-Encoding, Inference-Header-Content-Length, Traceparent, "
    "*";
constexpr std::string_view kAnswerFields =
    "Inference-Header-Content-Length, Retry-After, WWW-Authenticate, Traceparent";
constexpr std::string_view kPreflightSeconds = "600";

bool allows_any(const CorsPolicy& policy) {
  return std::find(policy.origins.begin(), policy.origins.end(), kAny) != policy.origins.end();
}

}  // namespace

std::string parse_cors_origin(std::string_view text) {
  const auto scheme = text.find("://");
  const std::string_view host =
      scheme == std::string_view::npos ? std::string_view() : text.substr(scheme + 3);
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("+-.:/[]").find(c) != std::string_view::npos;
  });
  if (text != kAny && (scheme == 0 || host.empty() || !plain || host.find('/') != host.npos)) {
    fail(ErrorCode::kInvalidArgument,
         "origin '{}': expected * or one like https://example.org:8443, in lower case, with no "
         "path and no slash behind it",
         text);
  }
  return std::string(text);
}

ResponseFields cors_fields(const CorsPolicy& policy, std::string_view origin) {
  if (policy.origins.empty()) {
    return {};
  }
  ResponseFields fields;
  const bool any = allows_any(policy);
  if (!any) {
    fields.emplace_back("Vary", "Origin");  // a cache must not give one origin's answer to another
  }
  const bool listed =
      std::find(policy.origins.begin(), policy.origins.end(), origin) != policy.origins.end();
  if (!origin.empty() && (any || listed)) {
    fields.emplace_back("Access-Control-Allow-Origin", any ? kAny : origin);
    fields.emplace_back("Access-Control-Expose-Headers", kAnswerFields);
  }
  return fields;
}

bool is_preflight(const CorsPolicy& policy, const Request& request) {
  return !policy.origins.empty() && request.method == "OPTIONS" &&
         !request.field("origin").empty() &&
         !request.field("access-control-request-method").empty();
}

Response preflight_answer(std::string_view allow) {
  Response response;
  response.status = 204;
  response.fields = {{"Access-Control-Allow-Methods", std::string(allow)},
                     {"Access-Control-Allow-Headers", std::string(kRequestFields)},
                     {"Access-Control-Max-Age", std::string(kPreflightSeconds)}};
  return response;
}

}  // namespace onnxop
