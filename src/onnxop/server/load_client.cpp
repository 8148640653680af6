#include "onnxop/server/load_client.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"

namespace onnxop {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Tcp = asio::ip::tcp;
using Time = std::chrono::steady_clock::time_point;

class Load {
 public:
  explicit Load(const LoadOptions& options)
      : options_(options),
        endpoint_(asio::ip::make_address(options.host), options.port),
        request_(format("POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: "
                        "application/octet-stream\r\nContent-Length: {}\r\n\r\n{}",
                        options.path, options.host, options.port, options.body.size(),
                        options.body)),
        to_begin_(options.requests) {
    latencies_.reserve(static_cast<std::size_t>(options.requests));
  }

  LoadResult run() {
    connect();
    const Time start = std::chrono::steady_clock::now();
    end_ = start + options_.limit;
    for (Tcp::socket& socket : sockets_) {
      asio::co_spawn(context_, ask(socket), asio::detached);
    }
    // A closing second for those that are on their way when the time is over.
    context_.run_until(end_ + std::chrono::seconds(1));
    return result(seconds_between(start, last_answer_.value_or(start)));
  }

 private:
  void connect() {
    for (int i = 0; i < options_.connections; ++i) {
      boost::system::error_code error;
      sockets_.emplace_back(context_);
      sockets_.back().connect(endpoint_, error);
      if (error) {
        fail(ErrorCode::kUnavailable, "cannot connect to {} port {}: {}", options_.host,
             options_.port, error.message());
      }
      sockets_.back().set_option(Tcp::no_delay(true));
    }
  }

  asio::awaitable<void> ask(Tcp::socket& socket) {
    beast::flat_buffer buffer;
    while (to_begin_ > 0 && std::chrono::steady_clock::now() < end_) {
      --to_begin_;
      ++under_way_;
      const Time begun = std::chrono::steady_clock::now();
      boost::system::error_code error;
      co_await asio::async_write(socket, asio::buffer(request_),
                                 asio::redirect_error(asio::use_awaitable, error));
      beast::http::response<beast::http::string_body> response;
      if (!error) {
        co_await beast::http::async_read(socket, buffer, response,
                                         asio::redirect_error(asio::use_awaitable, error));
      }
      --under_way_;
      last_answer_ = std::chrono::steady_clock::now();
      if (error || response.result_int() != 200) {
        ++errors_;
      } else {
        latencies_.push_back(1e3 * seconds_between(begun, *last_answer_));
      }
      if (error) {
        co_return;
      }
    }
  }

  LoadResult result(double seconds) {
    LoadResult result;
    result.requests = static_cast<std::int64_t>(latencies_.size());
    result.errors = errors_ + under_way_;
    result.seconds = seconds;
    if (!latencies_.empty()) {
      std::sort(latencies_.begin(), latencies_.end());
      const auto at = [this](double part) {
        return latencies_[static_cast<std::size_t>(part *
                                                   static_cast<double>(latencies_.size() - 1))];
      };
      result.rps = static_cast<double>(result.requests) / seconds;
      result.p50_ms = at(0.5);
      result.p99_ms = at(0.99);
      result.max_ms = latencies_.back();
    }
    return result;
  }

  const LoadOptions& options_;
  Tcp::endpoint endpoint_;
  std::string request_;
  asio::io_context context_{1};
  std::vector<Tcp::socket> sockets_;
  Time end_;
  std::optional<Time> last_answer_;
  std::int64_t to_begin_;
  std::int64_t under_way_ = 0;
  std::int64_t errors_ = 0;
  std::vector<double> latencies_;  // milliseconds
};

}  // namespace

LoadResult run_load(const LoadOptions& options) {
  boost::system::error_code error;
  asio::ip::make_address(options.host, error);
  if (error || options.connections < 1 || options.requests < 1 || !options.path.starts_with('/')) {
    fail(ErrorCode::kInvalidArgument,
         "load on {}{} with {} connections and {} requests: expected an address, a path, and at "
         "least one of each",
         options.host, options.path, options.connections, options.requests);
  }
  return Load(options).run();
}

}  // namespace onnxop
