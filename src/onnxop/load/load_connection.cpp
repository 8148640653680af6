#include "onnxop/load/load_connection.h"

#include <chrono>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

namespace onnxop {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::chrono::milliseconds kPause{10};

SteadyTime now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

asio::awaitable<LoadSample> LoadConnection::exchange(const std::string& request, SteadyTime due) {
  begun_ = now();
  sent_ = begun_;
  under_way_ = true;
  const int status = co_await send_and_read(request);
  under_way_ = false;
  LoadSample sample{1e3 * seconds_between(due, now()), 1e3 * seconds_between(due, sent_), status};
  if (status == 0) {
    close();
    boost::system::error_code ignored;
    pause_.expires_after(kPause);
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return sample;
}

asio::awaitable<int> LoadConnection::send_and_read(const std::string& request) {
  boost::system::error_code error;
  const auto token = [&error] { return asio::redirect_error(asio::use_awaitable, error); };
  if (!socket_.is_open()) {
    buffer_.clear();
    co_await socket_.async_connect(endpoint_, token());
    if (error) {
      co_return 0;
    }
    socket_.set_option(asio::ip::tcp::no_delay(true), error);
  }
  co_await asio::async_write(socket_, asio::buffer(request), token());
  sent_ = now();
  if (error) {
    co_return 0;
  }
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  co_await http::async_read(socket_, buffer_, parser, token());
  if (error) {
    co_return 0;
  }
  if (!parser.get().keep_alive()) {
    close();
  }
  co_return static_cast<int>(parser.get().result_int());
}

void LoadConnection::give_up_older_than(SteadyTime limit) {
  if (under_way_ && begun_ < limit) {
    close();
  }
}

void LoadConnection::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::string request_text(const std::string& method, const std::string& path,
                         const std::string& headers, const std::string& body) {
  std::string text = method + " " + path + " HTTP/1.1\r\n" + headers;
  if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return text + "\r\n" + body;
}

}  // namespace onnxop
