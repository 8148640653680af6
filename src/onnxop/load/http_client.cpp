#include "onnxop/load/http_client.h"

#include <charconv>
#include <optional>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using ErrorCodeOfBoost = boost::system::error_code;

[[noreturn]] void refuse(std::string_view text) {
  fail(ErrorCode::kInvalidArgument, "'{}' is no address: expected http://HOST[:PORT][/PATH]", text);
}

std::uint16_t parse_port(std::string_view digits, std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
    refuse(text);
  }
  return port;
}

Tcp::resolver::results_type resolve(asio::io_context& context, const std::string& host,
                                    std::uint16_t port) {
  ErrorCodeOfBoost error;
  auto found = Tcp::resolver(context).resolve(host, std::to_string(port), error);
  if (error) {
    fail(ErrorCode::kUnavailable, "host '{}' is not found: {}", host, error.message());
  }
  return found;
}

/// A request that ends within its time.
class Exchange {
 public:
  Exchange(const HttpUrl& url, const HttpContent& content, std::chrono::milliseconds timeout)
      : url_(url), stream_(context_) {
    stream_.expires_after(timeout);
    request_.method_string(content.method);
    request_.target(url.path);
    request_.version(11);
    for (const auto& [name, value] : content.headers) {
      request_.set(name, value);
    }
    request_.set(http::field::host, format("{}:{}", url.host, url.port));
    request_.set(http::field::connection, "close");
    request_.body() = content.body;
    request_.prepare_payload();
  }

  HttpAnswer run() {
    stream_.async_connect(
        resolve(context_, url_.host, url_.port),
        [this](ErrorCodeOfBoost error, const Tcp::endpoint&) { then(error, [this] { write(); }); });
    context_.run();
    if (error_) {
      fail(ErrorCode::kUnavailable, "http://{}:{}{}: {}", url_.host, url_.port, url_.path,
           error_->message());
    }
    return {static_cast<int>(response_.result_int()), std::move(response_.body())};
  }

 private:
  template <typename Next>
  void then(ErrorCodeOfBoost error, Next next) {
    if (error) {
      error_ = error;
    } else {
      next();
    }
  }
  void write() {
    http::async_write(stream_, request_, [this](ErrorCodeOfBoost error, std::size_t) {
      then(error, [this] { read(); });
    });
  }
  void read() {
    http::async_read(stream_, buffer_, response_,
                     [this](ErrorCodeOfBoost error, std::size_t) { then(error, [] {}); });
  }

  const HttpUrl& url_;
  asio::io_context context_{1};
  beast::tcp_stream stream_;
  http::request<http::string_body> request_;
  beast::flat_buffer buffer_;
  http::response<http::string_body> response_;
  std::optional<ErrorCodeOfBoost> error_;
};

}  // namespace

HttpUrl parse_http_url(std::string_view text) {
  constexpr std::string_view kHttp = "http://";
  if (text.starts_with("https://")) {
    fail(ErrorCode::kUnsupported, "'{}': TLS is not spoken here; expected http://…", text);
  }
  if (!text.starts_with(kHttp)) {
    refuse(text);
  }
  std::string_view rest = text.substr(kHttp.size());
  HttpUrl url;
  const auto slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) {
    url.path = rest.substr(slash);
  }
  const bool bracketed = authority.starts_with('[');  // an IPv6 address
  const auto end_of_host = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && end_of_host == std::string_view::npos) {
    refuse(text);
  }
  url.host = bracketed ? authority.substr(1, end_of_host - 1) : authority.substr(0, end_of_host);
  std::string_view port = end_of_host == std::string_view::npos
                              ? std::string_view()
                              : authority.substr(end_of_host + (bracketed ? 1 : 0));
  if (!port.empty()) {
    if (port.front() != ':') {
      refuse(text);
    }
    url.port = parse_port(port.substr(1), text);
  }
  const bool odd = url.path.find_first_of(" \r\n#") != std::string::npos;
  if (url.host.empty() || odd || url.host.find_first_of(" \r\n@?") != std::string::npos) {
    refuse(text);
  }
  return url;
}

HttpAnswer http_exchange(const HttpUrl& url, const HttpContent& content,
                         std::chrono::milliseconds timeout) {
  return Exchange(url, content, timeout).run();
}

HttpAnswer http_get(const HttpUrl& url, std::chrono::milliseconds timeout) {
  return http_exchange(url, {.method = "GET"}, timeout);
}

std::string reachable_address(const std::string& host, std::uint16_t port) {
  asio::io_context context;
  Tcp::socket socket(context);
  ErrorCodeOfBoost error;
  const auto endpoint = asio::connect(socket, resolve(context, host, port), error);
  if (error) {
    fail(ErrorCode::kUnavailable, "cannot connect to {} port {}: {}", host, port, error.message());
  }
  return endpoint.address().to_string();
}

}  // namespace onnxop
