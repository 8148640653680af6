#pragma once
// One kept-open connection of a load. Private to this room.

#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "onnxop/base/clock.h"
#include "onnxop/load/measure.h"

namespace onnxop {

/// For the thread that runs its context.
class LoadConnection {
 public:
  LoadConnection(boost::asio::io_context& context, const boost::asio::ip::tcp::endpoint& endpoint)
      : endpoint_(endpoint), socket_(context), pause_(context) {}

  /// Sends the request, on a new connection where the last one was closed, and reads its answer. A
  /// failure is a sample of status 0, and comes a moment later, so that a server that is gone is
  /// not asked without pause.
  boost::asio::awaitable<LoadSample> exchange(const std::string& request, SteadyTime due);

  /// Ends an exchange that began before `limit`, as a failure.
  void give_up_older_than(SteadyTime limit);

 private:
  boost::asio::awaitable<int> send_and_read(const std::string& request);
  void close();

  const boost::asio::ip::tcp::endpoint& endpoint_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer pause_;
  boost::beast::flat_buffer buffer_;
  bool under_way_ = false;
  SteadyTime begun_, sent_;
};

/// The bytes of a request.
std::string request_text(const std::string& method, const std::string& path,
                         const std::string& headers, const std::string& body);

}  // namespace onnxop
