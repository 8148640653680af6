#pragma once
// The gate that every request passes, over HTTP and gRPC alike: who sends it, whether he may, and
// whether he sends too many.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "onnxop/base/clock.h"
#include "onnxop/server/access.h"
#include "onnxop/server/cors.h"
#include "onnxop/server/rate_limit.h"
#include "onnxop/serving/model_stats.h"

namespace onnxop {

struct AccessOptions {
  /// The tokens of now, from any thread. Empty: everyone may do everything.
  std::function<std::shared_ptr<const TokenTable>()> tokens = {};
  std::optional<RateLimit> rate_limit = {};  // of each client; none: no limit
  CorsPolicy cors = {};
};

enum class Refusal : std::uint8_t { kUnauthenticated, kForbidden, kRateLimited };

/// "rate_limited"
std::string_view refusal_name(Refusal refusal);

inline constexpr std::array kRefusals{Refusal::kUnauthenticated, Refusal::kForbidden,
                                      Refusal::kRateLimited};

struct AccessRequest {
  Permission permission = Permission::kUnset;
  Credentials credentials = {};
  Protocol protocol = Protocol::kHttp;
  std::string_view what = {};                 // for the log: "POST /v2/repository/…"
  std::function<std::string()> address = {};  // the client's, asked for where it matters
  bool counts = true;                         // for the rate limit
};

/// problem: none when the request may go on; else kUnauthenticated, kPermissionDenied or
/// kResourceExhausted.
struct Admission {
  std::optional<Error> problem = {};
  RetrySeconds retry_after = 0;  // with kResourceExhausted
  std::string token = {};        // its name, where the request had a valid one
};

/// Safe from any thread.
class AccessGate {
 public:
  /// `clock` outlives it.
  AccessGate(AccessOptions options, const Clock& clock);

  /// Decides, counts what is refused, and logs what is asked of the management.
  Admission admit(const AccessRequest& request);

  bool has_tokens() const { return static_cast<bool>(options_.tokens); }
  bool has_rate_limit() const { return options_.rate_limit.has_value(); }
  const CorsPolicy& cors() const { return options_.cors; }

  std::uint64_t refused(Protocol protocol, Refusal refusal) const;

 private:
  RetrySeconds take_from_limit(const AccessRequest& request, const Token* token);
  Admission refuse(const AccessRequest& request, Refusal refusal, Error problem,
                   RetrySeconds retry_after = 0);

  AccessOptions options_;
  const Clock& clock_;
  std::mutex limiter_mutex_;
  std::optional<RateLimiter> limiter_;
  std::array<std::array<std::atomic<std::uint64_t>, kRefusals.size()>, 2> refused_{};
};

}  // namespace onnxop
