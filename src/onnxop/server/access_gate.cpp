#include "onnxop/server/access_gate.h"

#include <utility>

#include "onnxop/base/log.h"

namespace onnxop {
namespace {

void log_management(const AccessRequest& request, const Verdict& verdict) {
  const std::string address = request.address();
  log_fields(LogLevel::kInfo, "management request",
             {{"protocol", protocol_name(request.protocol)},
              {"what", request.what},
              {"address", address},
              {"token", verdict.token != nullptr ? std::string_view(verdict.token->name) : "none"},
              {"verdict", verdict.problem ? std::string_view("refused") : "allowed"}});
}

}  // namespace

std::string_view refusal_name(Refusal refusal) {
  switch (refusal) {
    case Refusal::kUnauthenticated:
      return "unauthenticated";
    case Refusal::kForbidden:
      return "forbidden";
    case Refusal::kRateLimited:
      break;
  }
  return "rate_limited";
}

AccessGate::AccessGate(AccessOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {
  if (options_.rate_limit) {
    limiter_.emplace(*options_.rate_limit);
  }
}

Admission AccessGate::admit(const AccessRequest& request) {
  const auto tokens = options_.tokens ? options_.tokens() : nullptr;
  Verdict verdict = judge(tokens.get(), request.credentials, request.permission);
  if (const RetrySeconds wait = take_from_limit(request, verdict.token); wait > 0) {
    return refuse(
        request, Refusal::kRateLimited,
        Error(ErrorCode::kResourceExhausted,
              format("too many requests, expected {} a second at most; come again in {} s",
                     options_.rate_limit->per_second, wait)),
        wait);
  }
  if (request.permission == Permission::kManage && tokens) {
    log_management(request, verdict);
  }
  if (!verdict.problem) {
    return {.token = verdict.token != nullptr ? verdict.token->name : std::string()};
  }
  return refuse(request,
                verdict.problem->code() == ErrorCode::kUnauthenticated ? Refusal::kUnauthenticated
                                                                       : Refusal::kForbidden,
                std::move(*verdict.problem));
}

/// A client is a token, or without a valid one an address.
RetrySeconds AccessGate::take_from_limit(const AccessRequest& request, const Token* token) {
  if (!limiter_ || !request.counts || request.permission == Permission::kOpen) {
    return 0;
  }
  const std::string client =
      token != nullptr ? "token " + token->name : "address " + client_of_address(request.address());
  const std::lock_guard lock(limiter_mutex_);
  return limiter_->take(client, clock_.steady());
}

Admission AccessGate::refuse(const AccessRequest& request, Refusal refusal, Error problem,
                             RetrySeconds retry_after) {
  ++refused_.at(static_cast<std::size_t>(request.protocol)).at(static_cast<std::size_t>(refusal));
  return {std::move(problem), retry_after};
}

std::uint64_t AccessGate::refused(Protocol protocol, Refusal refusal) const {
  return refused_.at(static_cast<std::size_t>(protocol)).at(static_cast<std::size_t>(refusal));
}

}  // namespace onnxop
