#pragma once
// One client: its requests are read and answered one after the other. Everything of a connection
// happens on its I/O thread, except the answering itself where a route asks for an executor.

#include <chrono>
#include <memory>

#include "onnxop/server/answering.h"
#include "onnxop/server/client_stream.h"
#include "onnxop/server/connection_context.h"
#include "onnxop/server/connection_set.h"

namespace onnxop {

class Connection {
 public:
  Connection(Socket socket, const ConnectionContext& context, ConnectionSet& set);
  ~Connection();
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
  Awaitable<bool> shake_hands();
  Awaitable<void> serve_requests();
  Awaitable<bool> wait_for_request(std::chrono::milliseconds timeout);
  void give_back_if_empty();
  Awaitable<void> read_request();
  void find_route();
  Awaitable<void> receive_file();
  Awaitable<void> respond();
  Awaitable<bool> write_response();
  Awaitable<bool> write_file();
  void refuse_request(const HttpProblem& problem);
  Awaitable<void> close();
  void account() const;

  ClientStream stream_;
  const ConnectionContext& context_;
  ConnectionSet& set_;
  Answering answering_;
  std::unique_ptr<Exchange> exchange_;  // none while the connection is idle
  bool idle_ = false;
  bool responded_ = false;  // the exchange's response holds the answer
  bool keep_alive_ = true;
  std::int64_t answered_ = 0;  // requests
  bool linger_ = false;  // the client may still be sending: let it read the answer before closing
};

}  // namespace onnxop
