#include "onnxop/server/grpc_acceptor.h"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"

namespace onnxop {

GrpcAcceptor::GrpcAcceptor(const std::string& host, int port, int max_connections)
    : max_connections_(max_connections),
      listener_(listen_at(context_.get_executor(), host, port)),
      port_(listener_.local_endpoint().port()),
      stop_event_(::eventfd(0, EFD_CLOEXEC)) {
  if (stop_event_ < 0) {
    fail(ErrorCode::kInternal, "no event can be made: {}", std::generic_category().message(errno));
  }
  listener_.native_non_blocking(true);
}

void GrpcAcceptor::start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> to) {
  to_ = std::move(to);
  thread_ = std::thread([this] { accept_clients(); });
}

void GrpcAcceptor::stop() {
  if (stop_event_ < 0) {
    return;
  }
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_event_, &one, sizeof one));
  if (thread_.joinable()) {
    thread_.join();
  }
  ::close(std::exchange(stop_event_, -1));
  boost::system::error_code ignored;
  listener_.close(ignored);
}

void GrpcAcceptor::accept_clients() {
  constexpr int kPauseMs = 100;
  std::array<pollfd, 2> watched{{{stop_event_, POLLIN, 0}, {listener_.native_handle(), POLLIN, 0}}};
  bool was_full = false;
  while (true) {
    ::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0) {
      return;
    }
    const int client = ::accept4(watched[1].fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        log_warning("no gRPC connection can be accepted: {}",
                    std::generic_category().message(errno));
        ::poll(watched.data(), 1, kPauseMs);  // some are given back when connections end
      }
      continue;
    }
    const bool full = open_.full(static_cast<std::size_t>(max_connections_));
    if (full) {
      ::close(client);
      if (!was_full) {
        log_warning("there are {} gRPC connections already: more are refused", max_connections_);
      }
    } else {
      const int on = 1;
      ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      open_.add(client);
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
      connection.fd = client;
      to_->HandleNewConnection(&connection);
    }
    was_full = full;
  }
}

}  // namespace onnxop
