#pragma once
// Takes gRPC's connections and hands them over, as many as may be open at one time: gRPC itself
// takes any number.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>

#include "onnxop/server/listen.h"
#include "onnxop/server/open_sockets.h"

namespace grpc::experimental {
class ExternalConnectionAcceptor;
}

namespace onnxop {

class GrpcAcceptor {
 public:
  /// Listens when it returns, and accepts from start() on. Throws as listen_at() does.
  GrpcAcceptor(const std::string& host, int port, int max_connections);
  ~GrpcAcceptor() { stop(); }
  GrpcAcceptor(const GrpcAcceptor&) = delete;
  GrpcAcceptor& operator=(const GrpcAcceptor&) = delete;

  std::uint16_t port() const { return port_; }
  /// Open now. From any thread.
  std::size_t connections() { return open_.count(); }

  /// Once, when the server of `to` runs; on a thread of its own.
  void start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> to);
  /// Nobody is accepted any more. Any number of times.
  void stop();

 private:
  void accept_clients();

  const int max_connections_;
  boost::asio::io_context context_{1};
  Listener listener_;
  std::uint16_t port_;
  int stop_event_;
  OpenSockets open_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> to_;
  std::thread thread_;
};

}  // namespace onnxop
