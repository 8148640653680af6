#include "onnxop/server/listen.h"

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

using Tcp = boost::asio::ip::tcp;
using ErrorCodeOfSystem = boost::system::error_code;

Tcp::endpoint find_endpoint(const boost::asio::io_context::executor_type& executor,
                            const std::string& host, int port) {
  const auto port_number = static_cast<std::uint16_t>(port);
  ErrorCodeOfSystem error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (!error) {
    return {address, port_number};
  }
  Tcp::resolver resolver(executor);
  const auto found = resolver.resolve(host, "", Tcp::resolver::passive, error);
  if (error || found.empty()) {
    fail(ErrorCode::kInvalidArgument, "host '{}' is no address and no known name: {}", host,
         error.message());
  }
  return {found.begin()->endpoint().address(), port_number};
}

}  // namespace

Listener listen_at(const boost::asio::io_context::executor_type& executor, const std::string& host,
                   int port) {
  const Tcp::endpoint endpoint = find_endpoint(executor, host, port);
  Listener listener(executor);
  ErrorCodeOfSystem error;
  listener.open(endpoint.protocol(), error);
  if (!error) {
    listener.set_option(Listener::reuse_address(true), error);
  }
  if (!error) {
    listener.bind(endpoint, error);
  }
  if (!error) {
    listener.listen(Listener::max_listen_connections, error);
  }
  if (error) {
    const bool taken = error == boost::asio::error::address_in_use ||
                       error == boost::system::errc::address_not_available;
    fail(taken ? ErrorCode::kFailedPrecondition : ErrorCode::kIo, "cannot listen at {} port {}: {}",
         host, port, error.message());
  }
  return listener;
}

}  // namespace onnxop
