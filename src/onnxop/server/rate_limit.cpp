#include "onnxop/server/rate_limit.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr double kMost = 1e6;

double parse_number(std::string_view text, std::string_view whole, double least) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
      !(value >= least && value <= kMost)) {
    fail(
        ErrorCode::kInvalidArgument,
        "rate limit '{}': expected N, N/s or N/s:BURST, N up to {} requests a second, BURST from 1 "
        "to {}",
        whole, kMost, kMost);
  }
  return value;
}

}  // namespace

RateLimit parse_rate_limit(std::string_view text) {
  const auto colon = text.find(':');
  std::string_view rate = text.substr(0, colon);
  if (rate.ends_with("/s")) {
    rate.remove_suffix(2);
  }
  constexpr double kLeast = 1e-3;
  RateLimit limit;
  limit.per_second = parse_number(rate, text, kLeast);
  limit.burst = colon == std::string_view::npos ? std::max(1.0, limit.per_second)
                                                : parse_number(text.substr(colon + 1), text, 1);
  return limit;
}

double RateLimiter::level_at(const Bucket& bucket, SteadyTime now) const {
  return std::min(limit_.burst, bucket.level + limit_.per_second * seconds_between(bucket.at, now));
}

void RateLimiter::forget_last() {
  by_client_.erase(buckets_.back().client);
  buckets_.pop_back();
}

/// The client's bucket, now the first.
RateLimiter::Bucket& RateLimiter::bucket_of(std::string_view client, SteadyTime now) {
  if (const auto found = by_client_.find(client); found != by_client_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, found->second);
    return buckets_.front();
  }
  // Full ones say nothing. A few at a time: there are never more of them than requests came.
  for (int i = 0; i < 2 && !buckets_.empty() && level_at(buckets_.back(), now) >= limit_.burst;
       ++i) {
    forget_last();
  }
  if (buckets_.size() >= max_clients_) {
    forget_last();
  }
  buckets_.push_front({std::string(client), limit_.burst, now});
  by_client_.emplace(buckets_.front().client, buckets_.begin());
  return buckets_.front();
}

RetrySeconds RateLimiter::take(std::string_view client, SteadyTime now) {
  Bucket& bucket = bucket_of(client, now);
  bucket.level = level_at(bucket, now);
  bucket.at = now;
  // What many small steps have filled may be short of 1 by rounding.
  constexpr double kWhole = 1 - 1e-9;
  if (bucket.level >= kWhole) {
    bucket.level = std::max(0.0, bucket.level - 1);
    return 0;
  }
  return std::max(1, static_cast<int>(std::ceil((1 - bucket.level) / limit_.per_second)));
}

std::string client_of_address(std::string_view address) {
  namespace ip = boost::asio::ip;
  boost::system::error_code error;
  const auto parsed = ip::make_address(std::string(address), error);
  if (error || parsed.is_v4()) {
    return std::string(address);
  }
  if (parsed.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, parsed.to_v6()).to_string();
  }
  auto bytes = parsed.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return ip::make_address_v6(bytes).to_string() + "/64";
}

}  // namespace onnxop
