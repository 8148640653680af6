#pragma once
// How many requests a client may make: a token bucket each, filled at a steady rate.

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "onnxop/base/clock.h"

namespace onnxop {

struct RateLimit {
  double per_second = 0;  // over 0, up to 1e6
  double burst = 1;       // requests at once after a pause; from 1 to 1e6
};

/// "N", "N/s", "N:BURST" or "N/s:BURST"; without BURST it is N, 1 at least. Throws
/// Error{kInvalidArgument}.
RateLimit parse_rate_limit(std::string_view text);

/// Whole seconds until another request is granted, as Retry-After says it; 0: this one is.
using RetrySeconds = int;

/// One thread at a time. Remembers the latest `max_clients` alone; whoever is forgotten has a full
/// bucket.
class RateLimiter {
 public:
  explicit RateLimiter(const RateLimit& limit, std::size_t max_clients = 65'536)
      : limit_(limit), max_clients_(max_clients) {}

  /// `now` never goes back.
  RetrySeconds take(std::string_view client, SteadyTime now);

  std::size_t clients() const { return by_client_.size(); }

 private:
  struct Bucket {
    std::string client;
    double level;  // requests that it holds at `at`
    SteadyTime at;
  };

  double level_at(const Bucket& bucket, SteadyTime now) const;
  Bucket& bucket_of(std::string_view client, SteadyTime now);
  void forget_last();

  RateLimit limit_;
  std::size_t max_clients_;
  std::list<Bucket> buckets_;  // the latest used first
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_client_;
};

/// Who a remote address is for limits: an IPv4 address as it is, also one that is mapped into IPv6;
/// of IPv6 the first 64 bits, which are one customer's: "2001:db8:0:1::/64". Other text as it is.
std::string client_of_address(std::string_view address);

}  // namespace onnxop
