#include "onnxop/server/http_access.h"

#include <utility>

#include "onnxop/server/status.h"

namespace onnxop {
namespace {

Credentials credentials_of(const Request& request) {
  Credentials credentials;
  for (const HeaderField& field : request.fields) {
    if (field.name == "authorization") {
      credentials.ambiguous = credentials.authorization.has_value();
      credentials.authorization = field.value;
    }
  }
  return credentials;
}

/// RFC 6750, section 3.
Response refusal_of(const Admission& admission, bool had_token, ErrorForm form) {
  const ErrorCode code = admission.problem->code();
  Response response = error_response(http_status(code), admission.problem->what(), form);
  response.retry_after = admission.retry_after;
  if (code == ErrorCode::kUnauthenticated) {
    response.fields.emplace_back(
        "WWW-Authenticate",
        had_token ? R"(Bearer realm="onnxop", error="invalid_token")" : R"(Bearer realm="onnxop")");
  } else if (code == ErrorCode::kPermissionDenied) {
    response.fields.emplace_back("WWW-Authenticate",
                                 R"(Bearer realm="onnxop", error="insufficient_scope")");
  }
  return response;
}

}  // namespace

void admit(AccessGate& gate, const Request& request, const std::function<std::string()>& address,
           RouteTable::Match& match) {
  match.fields = cors_fields(gate.cors(), request.field("origin"));
  // Methods that are not there are: OPTIONS is no route's.
  if (is_preflight(gate.cors(), request) && !match.refusal.allow.empty()) {
    match.refusal = preflight_answer(match.refusal.allow);
    return;
  }
  const Credentials credentials = credentials_of(request);
  const Permission permission =
      match.route == nullptr ? Permission::kDescribe : match.route->permission;
  const std::string what = permission == Permission::kManage
                               ? format("{} {}", request.method, path_of(request.target))
                               : std::string();
  const Admission admission = gate.admit({.permission = permission,
                                          .credentials = credentials,
                                          .protocol = Protocol::kHttp,
                                          .what = what,
                                          .address = address});
  if (admission.problem) {
    match.route = nullptr;
    match.refusal =
        refusal_of(admission, credentials.authorization.has_value(), error_form(request.target));
  }
  match.token = admission.token;
}

}  // namespace onnxop
