#pragma once
// One client: reads requests, has them answered, writes the answers, in order. Everything of a
// connection happens on its I/O thread, except the answering itself where a route asks for an
// executor.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "onnxop/server/connection_set.h"
#include "onnxop/server/metrics.h"
#include "onnxop/server/request_parser.h"
#include "onnxop/server/route_table.h"
#include "onnxop/serving/executors.h"

namespace onnxop {

using IoExecutor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, IoExecutor>;
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;
template <typename T>
using Awaitable = boost::asio::awaitable<T, IoExecutor>;
inline constexpr boost::asio::use_awaitable_t<IoExecutor> kUseAwaitable{};

/// What the connections of a server share.
struct ConnectionContext {
  const ServerOptions& options;
  const RouteTable& routes;
  Executors& control;  // for what blocks
  const std::atomic<bool>& draining;
  HttpStats& stats;
};

class Connection : private Job {
 public:
  Connection(Socket socket, const ConnectionContext& context, ConnectionSet& set);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Serves the client until either side ends it. The connection lives as long as this does.
  static Awaitable<void> serve(std::unique_ptr<Connection> self);

  /// Tells the client that there are too many connections, and ends.
  static Awaitable<void> refuse(std::unique_ptr<Connection> self);

  /// Ends the connection if it waits for a request of which nothing has come yet. On its I/O
  /// thread.
  void close_if_idle();

  /// Closes the socket under a connection whose I/O thread has ended; waits for what an executor
  /// does for it.
  void drop();

 private:
  enum class Read { kData, kEnd, kTimeout };

  void run() noexcept override;  // on a control thread

  Awaitable<void> serve_requests();
  Awaitable<bool> wait_for_request(std::chrono::milliseconds timeout);
  Awaitable<void> read_head();
  Awaitable<void> read_body(bool wanted);
  Awaitable<void> respond();
  Awaitable<void> run_handler();
  Response run_plain_handler();
  Awaitable<void> run_model();
  bool start_model(bool run_here);
  void watch_client();
  void ended_elsewhere();
  Awaitable<Read> read_more(std::size_t at_most);
  Awaitable<bool> write_all(std::string_view head, std::string_view body);
  Awaitable<bool> write_parts(std::vector<boost::asio::const_buffer> parts);
  Awaitable<void> close();

  void take_problem(Read outcome, std::string_view what, std::chrono::milliseconds timeout);
  void refuse_request(int status, std::string_view message);
  bool feed_parser();
  void skip_empty_lines();
  void set_deadline(std::chrono::milliseconds timeout);
  void clear_deadline();
  void set_timer();
  void check_deadline();
  void log_access() const;

  Socket socket_;
  Timer timer_;
  Timer answer_ready_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point timer_rings_ = std::chrono::steady_clock::time_point::max();
  std::uint64_t timer_number_ = 0;
  bool timed_out_ = false;
  bool idle_ = false;
  bool keep_alive_ = true;
  bool linger_ = false;  // the client may still be sending: let it read the answer before closing

  const ConnectionContext& context_;
  ConnectionSet& set_;
  boost::beast::flat_buffer buffer_;
  Request request_;
  RequestParser parser_;
  RouteTable::Match match_;
  std::unique_ptr<PendingAnswer> pending_;
  bool ready_ = false;  // pending_ can be taken
  bool client_gone_ = false;
  std::uint64_t watch_number_ = 0;  // of the latest watch_client()
  Response response_;
  bool responded_ = false;  // response_ holds the answer
  std::string head_;
  std::atomic<bool> elsewhere_{false};  // an executor has the call, or a control thread the request
  std::chrono::steady_clock::time_point started_;
};

}  // namespace onnxop
