#pragma once
// Single HTTP/1.1 requests, for what a load generator asks beside its load.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onnxop {

/// http://HOST[:PORT][/PATH]
struct HttpUrl {
  std::string host;
  std::uint16_t port = 80;
  std::string path = "/";  // with the query
};

/// Throws Error{kInvalidArgument} for what is no such address, {kUnsupported} for https.
HttpUrl parse_http_url(std::string_view text);

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// What is sent to an address.
struct HttpContent {
  std::string method = "POST";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
};

/// Blocks. Throws Error{kUnavailable} when nobody answers there within `timeout`.
HttpAnswer http_exchange(const HttpUrl& url, const HttpContent& content,
                         std::chrono::milliseconds timeout = std::chrono::seconds(10));

/// The same with GET.
HttpAnswer http_get(const HttpUrl& url,
                    std::chrono::milliseconds timeout = std::chrono::seconds(10));

/// The first address of a host that takes connections at the port. Throws Error{kUnavailable} when
/// there is none.
std::string reachable_address(const std::string& host, std::uint16_t port);

}  // namespace onnxop
