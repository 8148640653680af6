#pragma once
// The bytes from and to one client, in clear or over TLS, with a time limit on whatever waits for
// the client. One coroutine at a time, on the socket's I/O thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "onnxop/server/asio_types.h"
#include "onnxop/server/tls_session.h"

namespace onnxop {

class ClientStream {
 public:
  enum class Read : std::uint8_t { kData, kEnd, kTimeout };

  explicit ClientStream(Socket socket);
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  IoExecutor executor() { return socket_.get_executor(); }

  /// Before all else, for a connection over TLS. kEnd or kTimeout: there is none, and tls_problem()
  /// may say why.
  Awaitable<Read> start_tls(const TlsCredentials& credentials, TlsProtocol protocol);
  const std::string& tls_problem() const { return tls_->problem(); }
  /// After that failed. True: the client speaks plain HTTP, and the stream is in clear from now on,
  /// so that it can be told; its request is lost.
  bool fall_back_to_clear();

  /// From now on: what waits longer ends, and says so.
  void set_deadline(std::chrono::milliseconds timeout);
  void clear_deadline();

  /// Until there is something to read, holding no memory for it. Cancelled by cancel(): kEnd.
  Awaitable<Read> wait();
  void cancel();

  /// Appends what has come to `to`, without waiting; kData with nothing when nothing has.
  Read read_now(boost::beast::flat_buffer& to, std::size_t at_most);
  /// Waits until something comes.
  Awaitable<Read> read(boost::beast::flat_buffer& to, std::size_t at_most);
  /// Something has come that was not read.
  bool has_input() const;

  /// The client's; "unknown" where the connection has ended.
  std::string remote_address() const;

  /// As much as the client takes at once: how many bytes. The rest is for write(), which also finds
  /// out where the client takes nothing any more.
  std::size_t write_now(std::string_view bytes);
  /// False when the client did not take it.
  Awaitable<bool> write(std::string_view head, std::string_view body,
                        std::chrono::milliseconds timeout);
  Awaitable<bool> write(std::vector<boost::asio::const_buffer> parts,
                        std::chrono::milliseconds timeout);

  /// `on_gone` is called once if the client goes away before unwatch(). What the client sends
  /// meanwhile ends the watch: it tells nothing.
  void watch(std::function<void()> on_gone);
  void unwatch();

  /// `linger`: the client may still be sending, and would lose the answer if its data arrived at a
  /// closed socket: it gets that long, while what it sends is thrown away.
  Awaitable<void> close(bool linger, std::chrono::milliseconds timeout);

  /// At once, also when the I/O thread has ended.
  void drop();

 private:
  Read outcome_of(const boost::system::error_code& error) const;
  Awaitable<Read> wait_for_socket(Socket::wait_type what);
  Awaitable<Read> wait_for(TlsSession::Outcome need);
  Awaitable<Read> wait_tls();
  Awaitable<Read> read_socket(boost::beast::flat_buffer& to, std::size_t at_most);
  Awaitable<Read> read_tls(boost::beast::flat_buffer& to, std::size_t at_most);
  template <typename Parts>
  Awaitable<bool> write_socket(Parts parts, std::chrono::milliseconds timeout);
  Awaitable<bool> write_tls(std::vector<boost::asio::const_buffer> parts,
                            std::chrono::milliseconds timeout);
  void continue_watch();
  void look_whether_gone();
  TlsSession::Outcome look_at_socket();
  void set_timer();
  void check_deadline();

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
  Timer timer_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point timer_rings_ = std::chrono::steady_clock::time_point::max();
  std::uint64_t timer_number_ = 0;  // of the latest wait
  std::uint64_t watch_number_ = 0;  // of the latest watch
  bool timed_out_ = false;
  std::function<void()> on_gone_;
  // Messages of old waits can come after the stream has gone: they look here first.
  std::shared_ptr<ClientStream*> self_;
};

}  // namespace onnxop
