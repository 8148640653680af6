#pragma once
// A listening TCP socket.

#include <string>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace onnxop {

using Listener = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                                    boost::asio::io_context::executor_type>;

/// `host` is an address, or a name that the system knows. Throws Error{kInvalidArgument} for a name
/// it does not know, {kFailedPrecondition} for an address that is taken or not this machine's,
/// {kIo} else.
Listener listen_at(const boost::asio::io_context::executor_type& executor, const std::string& host,
                   int port);

}  // namespace onnxop
