#include "bench/echo_server.h"

#include <thread>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace onnxop::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

asio::awaitable<void> serve(Tcp::socket socket, const std::string& body) {
  boost::system::error_code error;
  const auto token = [&error] { return asio::redirect_error(asio::use_awaitable, error); };
  socket.set_option(Tcp::no_delay(true), error);
  boost::beast::flat_buffer buffer;
  while (!error) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    co_await http::async_read(socket, buffer, parser, token());
    if (error) {
      co_return;
    }
    http::response<http::string_body> response(http::status::ok, 11, body);
    response.set(http::field::content_type, "application/json");
    response.keep_alive(true);
    response.prepare_payload();
    co_await http::async_write(socket, response, token());
  }
}

asio::awaitable<void> accept_all(Tcp::acceptor& acceptor, const std::string& body) {
  boost::system::error_code error;
  while (!error) {
    Tcp::socket socket(acceptor.get_executor());
    co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), body), asio::detached);
    }
  }
}

}  // namespace

class EchoServer::Impl {
 public:
  explicit Impl(std::string body)
      : body_(std::move(body)),
        acceptor_(context_, Tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {
    asio::co_spawn(context_, accept_all(acceptor_, body_), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~Impl() {
    context_.stop();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  std::string body_;
  asio::io_context context_{1};
  Tcp::acceptor acceptor_;
  std::thread thread_;
};

EchoServer::EchoServer(std::string answer_body)
    : impl_(std::make_unique<Impl>(std::move(answer_body))) {}

EchoServer::~EchoServer() = default;

std::uint16_t EchoServer::port() const {
  return impl_->port();
}

}  // namespace onnxop::bench
