#pragma once
// A small HTTP server on 127.0.0.1 that answers as a test says.

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

namespace onnxop::testing_load {

struct Asked {
  std::string method, path, body, content_type;
  int index = 0;       // over all connections
  int connection = 0;  // the how manieth, from 0
};

/// A whole answer; empty: the connection is closed instead; "hang": nothing happens any more.
using Answerer = std::function<std::string(const Asked&)>;

inline std::string ok(const std::string& body = "fine") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class TestServer {
 public:
  explicit TestServer(Answerer answerer) : answerer_(std::move(answerer)) {
    boost::asio::co_spawn(context_, accept(), boost::asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~TestServer() {
    context_.stop();
    thread_.join();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  std::vector<Asked> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  using Tcp = boost::asio::ip::tcp;

  boost::asio::awaitable<void> accept() {
    for (int count = 0;; ++count) {
      Tcp::socket socket = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      boost::asio::co_spawn(context_, serve(std::move(socket), count), boost::asio::detached);
    }
  }

  boost::asio::awaitable<void> serve(Tcp::socket socket, int connection) {
    namespace http = boost::beast::http;
    boost::beast::flat_buffer buffer;
    for (;;) {
      http::request<http::string_body> request;
      boost::system::error_code error;
      co_await http::async_read(socket, buffer, request,
                                boost::asio::redirect_error(boost::asio::use_awaitable, error));
      if (error) {
        co_return;
      }
      const std::string answer = answerer_(note(request, connection));
      if (answer.empty()) {
        co_return;
      }
      if (answer == "hang") {
        char byte = 0;
        co_await socket.async_read_some(
            boost::asio::buffer(&byte, 1),
            boost::asio::redirect_error(boost::asio::use_awaitable, error));
        co_return;
      }
      co_await boost::asio::async_write(
          socket, boost::asio::buffer(answer),
          boost::asio::redirect_error(boost::asio::use_awaitable, error));
    }
  }

  template <typename Request>
  Asked note(const Request& request, int connection) {
    const std::lock_guard lock(mutex_);
    Asked asked{.method = std::string(request.method_string()),
                .path = std::string(request.target()),
                .body = request.body(),
                .content_type = std::string(request["Content-Type"]),
                .index = static_cast<int>(asked_.size()),
                .connection = connection};
    asked_.push_back(asked);
    return asked;
  }

  Answerer answerer_;
  std::mutex mutex_;
  std::vector<Asked> asked_;
  boost::asio::io_context context_{1};
  Tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

}  // namespace onnxop::testing_load
