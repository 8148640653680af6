#pragma once
// The HTTP service (docs/rest_api.md), on one port or, with management or tracking
// apart, on more. I/O
// threads talk to clients; decoding and scoring run on executors of their own.

#include <cstdint>
#include <memory>

#include "onnxop/server/server_options.h"
#include "onnxop/serving/serving_core.h"

namespace onnxop {

class Server {
 public:
  /// Listens when it returns; what `core` names outlives the server. Throws Error{kInvalidArgument}
  /// for options that make no sense; {kNotFound} for a route to a model that is not in the catalog;
  /// {kFailedPrecondition} for one that takes no images, and for an address that is taken; {kIo}
  /// where the system refuses to listen.
  Server(ServerOptions options, const ServingCore& core);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  /// Of the management; port() where it has none of its own.
  std::uint16_t manage_port() const;
  /// Of the tracking; port() where it has none of its own.
  std::uint16_t tracking_port() const;

  /// Serves until stopped, on this thread and others. Once.
  void run();

  /// Graceful: first the server is not ready any more (ServerOptions::drain_grace); then there are
  /// no new connections, idle ones are closed, requests in flight are answered; then run() returns.
  /// All answers from the beginning say "Connection: close". From any thread, also before run(),
  /// any number of times.
  void stop();

  /// Drops all connections; run() returns as soon as the models that are running have ended. From
  /// any thread.
  void stop_now();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onnxop
